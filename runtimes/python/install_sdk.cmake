# SPDX-License-Identifier: Apache-2.0
# cmake -DPYTHON= -DLOCK= -DHOME= -P install_sdk.cmake: the packages of the lock into HOME/site-packages, by their hashes.
# They appear there whole or not at all.
set(ENV{PIP_ROOT_USER_ACTION} ignore)
set(pip ${PYTHON} -m pip)
execute_process(COMMAND ${pip} --version RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
if(failed)
  # Debian's python3 comes without pip, a virtual environment brings one.
  execute_process(COMMAND ${PYTHON} -m venv ${HOME}/pip COMMAND_ERROR_IS_FATAL ANY)
  set(pip ${HOME}/pip/bin/python -m pip)
endif()
file(REMOVE_RECURSE ${HOME}/site-packages.new)
execute_process(
  COMMAND ${pip} install --quiet --no-input --disable-pip-version-check --no-deps --no-compile --require-hashes
          --only-binary :all: --target ${HOME}/site-packages.new --requirement ${LOCK}
  COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${HOME}/site-packages ${HOME}/pip)
file(RENAME ${HOME}/site-packages.new ${HOME}/site-packages)
file(TOUCH ${HOME}/sdk.installed)
