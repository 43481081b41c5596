# SPDX-License-Identifier: Apache-2.0
"""Finds the SDK, and imports it without what few functions need."""

import importlib
import os
import sys
import types

_HTTP_CLIENT = "http.client"


def find(folder):
    """Imports the SDK where it can be; who needs it imports it again and tells when it is missing. The one in `folder`,
    which we bring, wins over one that happens to be installed for the whole machine, but not over one that the
    function's own requirements brought: those are in a virtual environment."""
    if sys.prefix != sys.base_prefix:
        sys.path.append(folder)
    else:
        first = next((i for i, path in enumerate(sys.path) if path.endswith(("site-packages", "dist-packages"))), None)
        sys.path.insert(len(sys.path) if first is None else first, folder)
    if _HTTP_CLIENT not in sys.modules:
        _put_off_http_client()
    try:
        import nuclio_sdk  # noqa: F401
    except ImportError:
        pass
    finally:
        if type(sys.modules.get(_HTTP_CLIENT)) is _Later:
            del sys.modules[_HTTP_CLIENT]


class _Later(types.ModuleType):
    """Stands for a module until something of it is needed."""

    def __getattr__(self, name):
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def _put_off_http_client():
    """The SDK's platform module imports it for calls from function to function, and it is a third of all that a worker
    would import. Whoever imports it later gets the real one."""
    import http

    sys.modules[_HTTP_CLIENT] = http.client = _Later(_HTTP_CLIENT)


def http_connection(*arguments, **named):
    """The class that the SDK's Platform would take from http.client by itself."""
    from http.client import HTTPConnection

    return HTTPConnection(*arguments, **named)


def runtime():
    """What runs, for the log."""
    text = "python {0}.{1}.{2}".format(*sys.version_info[:3])
    sdk = sys.modules.get("nuclio_sdk")
    if sdk is not None:
        for name in os.listdir(os.path.dirname(os.path.dirname(sdk.__file__))):
            if name.startswith("nuclio_sdk-") and name.endswith(".dist-info"):
                return text + ", nuclio-sdk " + name[len("nuclio_sdk-") : -len(".dist-info")]
    return text
