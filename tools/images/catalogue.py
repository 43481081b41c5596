# SPDX-License-Identifier: Apache-2.0
"""The images that `./dev images` makes. A new one is an entry in IMAGES."""

import dataclasses

# The release whose packages our programs are linked with, and the base images are made of.
SUITE = "bookworm"
USER = "65532:65532"
HOME = "/home/nuclio"


@dataclasses.dataclass(frozen=True)
class Image:
    name: str  # "nuclio/<name>" in a registry, <name> in a folder and for --only
    title: str
    description: str
    packages: tuple[
        str, ...
    ] = ()  # of Debian, beside those that every image has and those with our programs' libraries
    tag: str = ""  # of a base image; an image with programs has our version and "latest"
    version_of: str = ""  # a Debian package, whose version a base image has
    version_variable: str = ""  # of the environment
    programs: tuple[str, ...] = ()  # from our bin/; the first is the entry point
    runtimes: bool = False  # the language side, beside the programs
    builds: bool = False  # images of functions: what these have of ours, to be put into them
    keeps_state: bool = False  # in NUCLIO_HOME
    ports: tuple[int, ...] = ()


# A program that calls others by TLS wants authorities, and one that knows of local time wants zones.
EVERYWHERE = ("ca-certificates", "tzdata")

IMAGES = (
    Image(
        name="python",
        title="Nuclio base for Python",
        description="Python 3.11 for functions, without pip",
        packages=("python3",),
        tag="3.11",
        version_of="python3.11",
        version_variable="PYTHON_VERSION",
    ),
    Image(
        name="cpp",
        title="Nuclio base for C++",
        description="What functions need that were compiled by g++ or clang++",
        packages=("libstdc++6",),
        tag="12",
        version_of="libstdc++6",
    ),
    Image(
        name="processor",
        title="Nuclio processor",
        description="Serves one function; holds the runtimes' own part, and no language",
        programs=("processor",),
        runtimes=True,
    ),
    Image(
        name="controller",
        title="Nuclio controller",
        description="Makes what Kubernetes has for each function what the function says",
        programs=("controller",),
        ports=(8082,),
    ),
    Image(
        name="dashboard",
        title="Nuclio dashboard",
        description="The REST API, which builds and runs functions",
        packages=("git", "proot", "python3", "python3-pip", "python3-venv"),
        programs=("dashboard", "builder", "processor", "log_keeper"),
        runtimes=True,
        builds=True,
        keeps_state=True,
        ports=(8070,),
    ),
    Image(
        name="nuctl",
        title="nuctl",
        description="The command line of a dashboard elsewhere; CronJobs call functions with it",
        programs=("nuctl",),
    ),
)
