# SPDX-License-Identifier: Apache-2.0
"""Finds the handler, and says what is wrong when it cannot: what, where, what to do."""

import importlib
import os
import sys
import traceback
import types

_OUR_FOLDER = os.path.dirname(os.path.abspath(__file__))
_ASYNCIO_FOLDER = os.path.join(os.path.dirname(os.__file__), "asyncio")
_MANY = 10


class CannotStart(Exception):
    def __init__(self, message, trace=""):
        super().__init__(message)
        self.message = message
        self.trace = trace


def add_to_path(code):
    """The function's own modules come first. Gives the folder's full path."""
    folder = os.path.abspath(code)
    if sys.path[0] != folder:
        sys.path.insert(0, folder)
    return folder


def add_packages(folder):
    """The function's packages come before those of the interpreter, as in a virtual environment."""
    import site

    first = next((i for i, path in enumerate(sys.path) if path.endswith(("site-packages", "dist-packages"))), None)
    sys.path.insert(len(sys.path) if first is None else first, folder)
    site.addsitedir(folder)  # for .pth files, with which some packages find themselves


def load(handler, code_folder):
    """(module, callable) of "module(.sub)*:name"."""
    module_name, colon, name = handler.partition(":")
    if not colon or not module_name or not name:
        raise CannotStart(
            'handler "{0}" must be written module:function, for example main:handler for "def handler(context, event)" '
            "in main.py".format(handler)
        )
    module = _import(handler, module_name, code_folder)
    entry = getattr(module, name, None)
    if entry is None:
        raise CannotStart(
            'handler "{0}": module {1} has no attribute "{2}"; it defines: {3}'.format(
                handler, module_name, name, _listed(_functions(module)) or "no functions"
            )
        )
    if not callable(entry):
        raise CannotStart(
            'handler "{0}": "{1}" in module {2} is a {3} and cannot be called; it must be a function that takes '
            "(context, event)".format(handler, name, module_name, type(entry).__name__)
        )
    return module, entry


def prepare(handler, code_folder):
    """Finds and compiles the handler's module without running it, for processes that are forked from this one: what
    import would do in each of them takes longer than most functions' own code, and copies a megabyte of pages. What is
    wrong shows when it is loaded."""
    import importlib.util

    module_name = handler.partition(":")[0]
    try:
        spec = importlib.util.find_spec(module_name) if "." not in module_name else None
        if spec is not None and spec.origin is not None and os.path.dirname(spec.origin) == code_folder:
            _prepared[module_name] = spec, spec.loader.get_code(module_name)
    except Exception:
        pass


# By module name, what prepare() found.
_prepared = {}


def _import_module(name):
    if name not in _prepared or name in sys.modules:
        return importlib.import_module(name)
    spec, code = _prepared.pop(name)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        exec(code, vars(module))
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return sys.modules[name]


def _import(handler, module_name, code_folder):
    try:
        return _import_module(module_name)
    except SyntaxError as error:
        raise CannotStart(_about_syntax(handler, error, code_folder)) from None
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module_name == missing or module_name.startswith(missing + "."):
            raise CannotStart(
                'handler "{0}": there is no module "{1}" in {2}; its modules are: {3}'.format(
                    handler, missing, code_folder, _listed(_modules(code_folder)) or "none"
                )
            ) from None
        raise CannotStart(
            'handler "{0}": importing it failed, because there is no module "{1}"; if it is a package, name it in '
            "requirements.txt beside the handler".format(handler, missing),
            trace_of(error),
        ) from None
    except Exception as error:
        raise CannotStart(
            'handler "{0}": importing module {1} raised {2}'.format(handler, module_name, described(error)),
            trace_of(error),
        ) from None
    except SystemExit as error:
        raise CannotStart(
            'handler "{0}": importing module {1} ended the process with exit({2}); does it run a program outside of '
            'if __name__ == "__main__"?'.format(handler, module_name, error.code),
            trace_of(error),
        ) from None


def _about_syntax(handler, error, code_folder):
    file = error.filename or "?"
    if file.startswith(code_folder + os.sep):
        file = os.path.relpath(file, code_folder)
    line = (error.text or "").strip()
    return 'handler "{0}": {1}:{2}: {3}{4}'.format(
        handler, file, error.lineno, error.msg, ", in: " + line if line else ""
    )


def _functions(module):
    return sorted(
        name
        for name, value in vars(module).items()
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__ and not name.startswith("_")
    )


def _modules(folder):
    try:
        return sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py"))
    except OSError:
        return []


def _listed(names):
    return ", ".join(names[:_MANY]) + (", and {0} more".format(len(names) - _MANY) if len(names) > _MANY else "")


def described(error):
    text = str(error)
    return "{0}: {1}".format(type(error).__name__, text) if text else type(error).__name__


def trace_of(error):
    """The traceback from the user's first line on: how we came to it, by import or event loop, says nothing."""
    at = error.__traceback__
    while at is not None and _is_on_the_way(at.tb_frame.f_code.co_filename):
        at = at.tb_next
    return "".join(traceback.format_exception(type(error), error, at))


def _is_on_the_way(file):
    return (
        os.path.dirname(file) in (_OUR_FOLDER, _ASYNCIO_FOLDER)
        or file.startswith("<frozen importlib")
        or file == importlib.__file__
    )


def is_async(function):
    """Whether calling it gives a coroutine or an asynchronous generator, as far as can be told without a call."""
    for _ in range(_MANY):
        inner = getattr(function, "__wrapped__", None) or getattr(function, "func", None)
        if inner is None or inner is function:
            break
        function = inner
    # A callable object's method stands in its class; a function's own class has one without code.
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    coroutine, asynchronous_generator = 0x80, 0x200  # inspect's CO_ constants, whose import takes milliseconds
    return code is not None and bool(code.co_flags & (coroutine | asynchronous_generator))


def needs_event_loop(module, handler):
    """Code that has imported asyncio may use the running loop in any function, as Nuclio's wrapper lets it."""
    return "asyncio" in sys.modules or is_async(handler) or is_async(getattr(module, "init_context", None))
