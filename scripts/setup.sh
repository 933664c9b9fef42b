# shellcheck shell=bash
# What ./start and ./test share: a Python, the system packages, and .venv with the locked packages.
# Sourced by bash, in the top folder of the project. Asks nothing; safe to run again.

say() { printf '%s\n' "$*"; }

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# --- Python -------------------------------------------------------------------------------------

# A name on PATH may be a wrapper that fails for this version: believe it only once it has run.
usable_python() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

pick_python() { # prints the path of a usable interpreter
    local name path
    if [ -n "${PYTHON:-}" ]; then
        usable_python "$PYTHON" || die "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13 that runs."
        command -v "$PYTHON"
        return
    fi
    for name in python3.13 python3.12 python3.11 python3; do
        while IFS= read -r path; do
            if usable_python "$path"; then
                printf '%s\n' "$path"
                return
            fi
        done < <(type -aP "$name")
    done
    die "No Python 3.11, 3.12 or 3.13 found. Install one, or name it: PYTHON=/path/to/python $0"
}

python_id() { "$1" -c 'import sys; print(sys.base_prefix, sys.version.split()[0])'; }

# --- System packages: `need PACKAGE CHECK...` notes the package when the check fails ----------------

missing_packages=()

need() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing_packages+=("$package")
}

has_venv() { "$python" -c 'import ensurepip, venv'; }

# durable-rules is published as C source: compile one line against Python's own headers to be sure.
can_compile() { # "tool": is there a compiler? "all": does it compile a file that includes Python.h?
    "$python" - "$1" <<'PYTHON'
import os, shlex, shutil, subprocess, sys, sysconfig, tempfile

compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
if sys.argv[1] == "tool":
    sys.exit(shutil.which(compiler[0]) is None)
with tempfile.TemporaryDirectory() as folder:
    source = os.path.join(folder, "try.c")
    with open(source, "w") as file:
        file.write("#include <Python.h>\nint main(void) { return 0; }\n")
    paths = ["-I" + sysconfig.get_path(kind) for kind in ("include", "platinclude")]
    sys.exit(subprocess.run([*compiler, *paths, "-c", source, "-o", source + ".o"]).returncode)
PYTHON
}

has_headers() {
    "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))'
}

has_library() { "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1"; }

# The server's programs are not on PATH in Debian, but in a folder of their version.
has_postgres() { command -v pg_ctl || compgen -G '/usr/lib/postgresql/*/bin/pg_ctl'; }

has_chinese_font() { [ -n "$(fc-list :lang=zh)" ]; }

need_for_build() {
    local version
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    need "python$version-venv" has_venv
    need gcc can_compile tool
    if ! has_headers; then
        missing_packages+=("python$version-dev")
    elif ! can_compile all >/dev/null 2>&1; then
        missing_packages+=(libc6-dev)
    fi
}

need_for_tests() {
    need chromium command -v chromium
    need fontconfig command -v fc-list
    need fonts-wqy-microhei has_chinese_font
    if grep -q '^weasyprint==' requirements/dev.lock; then
        need libpango-1.0-0 has_library libpango-1.0.so.0
        need libpangoft2-1.0-0 has_library libpangoft2-1.0.so.0
    fi
    need postgresql has_postgres
}

install_missing() {
    [ ${#missing_packages[@]} -gt 0 ] || return 0
    local as_root=() log list="${missing_packages[*]}"
    local typed="apt-get update && apt-get install -y --no-install-recommends $list"
    if ! command -v apt-get >/dev/null; then
        die "Missing on this machine (names as in Debian): $list"
    elif [ "$(id -u)" != 0 ]; then
        if sudo -n true >/dev/null 2>&1; then
            as_root=(sudo -n)
        else
            die "Missing on this machine: $list
Type this, then run $0 again:
  sudo sh -c '$typed'"
        fi
    fi
    say "Installing system packages: $list"
    log=$(mktemp)
    if ! {
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 update &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 \
                install -y --no-install-recommends "${missing_packages[@]}"
    } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die "Could not install them. The line was:
  $typed"
    fi
    rm -f "$log"
    missing_packages=()
}

ensure_system_packages() { # web | dev
    need_for_build
    [ "$1" != dev ] || need_for_tests
    [ ${#missing_packages[@]} -gt 0 ] || return 0
    install_missing
    need_for_build
    [ "$1" != dev ] || need_for_tests
    [ ${#missing_packages[@]} -eq 0 ] ||
        die "Still missing for $python: ${missing_packages[*]}
Another Python can be named: PYTHON=/usr/bin/python3 $0"
}

# --- .venv ----------------------------------------------------------------------------------------

pip_install() { .venv/bin/python -m pip install -qq --no-input --disable-pip-version-check "$@" </dev/null; }

digest() { # of everything that decides what is installed
    cat pyproject.toml requirements/*.lock scripts/setup.sh | .venv/bin/python -c \
        'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

# The stamp says where .venv was made, with which Python, for what, and from which files.
stamp=.venv/yyassess-stamp

stamped() { sed -n "${1}p" "$stamp" 2>/dev/null || true; }

make_venv() {
    local place=''
    if usable_python .venv/bin/python; then
        place="$PWD $(python_id .venv/bin/python)"
        if [ -z "$(stamped 1)" ] || [ "$(stamped 1)" = "$place" ]; then
            if [ -z "${PYTHON:-}" ] || [ "$(python_id "$python")" = "$(python_id .venv/bin/python)" ]; then
                return
            fi
        fi
    fi
    say "Making .venv with $("$python" --version) ($python)"
    "$python" -m venv --clear .venv
}

# Python 3.13 dropped PyEval_CallObject, which durable-rules names; PyObject_CallObject does the same.
# (Its setup.py overwrites CFLAGS, so the preprocessor's flags it is.)
durable_rules_flags() {
    .venv/bin/python -c 'import sys
print("-DPyEval_CallObject=PyObject_CallObject" if sys.version_info >= (3, 13) else "")'
}

install_locked() { # web | dev
    local profile=$1 wanted
    wanted=$(digest)
    if [ "$(stamped 3)" = "$wanted" ]; then
        case "$(stamped 2)" in
        "$profile" | dev) return ;;
        esac
    fi
    rm -f "$stamp"
    say "Installing Python packages from requirements/$profile.lock (some minutes the first time)"
    pip_install --require-hashes -r requirements/build.lock
    # Built with the locked tools just installed, so that every file used has been checked by its hash.
    awk '/^[a-z]/ { keep = /^durable-rules==/ } keep' "requirements/$profile.lock" >.venv/durable-rules.lock
    CPPFLAGS="${CPPFLAGS:-} $(durable_rules_flags)" \
        pip_install --require-hashes --no-deps --no-build-isolation -r .venv/durable-rules.lock
    pip_install --require-hashes -r "requirements/$profile.lock"
    pip_install --no-deps --no-build-isolation -e .
    printf '%s\n' "$PWD $(python_id .venv/bin/python)" "$profile" "$wanted" >"$stamp"
}

# --- Spark: large, so it has a lock of its own and is no part of `dev` ----------------------------------

# Needed where YYASSESS_NEED_SPARK=1 or on a CI server (CI is set); left out with YYASSESS_NEED_SPARK=0.
spark_needed() { [ "${YYASSESS_NEED_SPARK:-}" = 1 ] || [ -n "${CI:-}" ]; }

without_spark() { # REASON
    ! spark_needed || die "Spark cannot be tested: $1"
    say "Spark will not be tested: $1"
}

has_java() { # 17 or later
    java -version 2>&1 | awk -F '"' '/version/ { split($2, v, "."); found = v[1] } END { exit !(found >= 17) }'
}

may_install() { command -v apt-get && { [ "$(id -u)" = 0 ] || sudo -n true; }; }

setup_spark() {
    local wanted spark_stamp=.venv/yyassess-spark-stamp
    [ "${YYASSESS_NEED_SPARK:-}" != 0 ] || return 0
    if ! has_java && { spark_needed || may_install >/dev/null 2>&1; }; then
        missing_packages=(default-jre-headless)
        install_missing
    fi
    if ! has_java; then
        without_spark "it needs Java 17 or later (default-jre-headless)"
        return
    fi
    wanted=$(.venv/bin/python -c 'import hashlib
print(hashlib.sha256(open("requirements/spark.lock", "rb").read()).hexdigest())')
    if [ "$(cat "$spark_stamp" 2>/dev/null)" != "$wanted" ]; then
        say "Installing Spark from requirements/spark.lock (half a gigabyte, once; YYASSESS_NEED_SPARK=0 leaves it out)"
        # All but Spark itself is there already, in the same versions; Spark is built with the locked tools.
        if ! pip_install --require-hashes --no-deps --no-build-isolation -r requirements/spark.lock; then
            without_spark "pip could not install it"
            return
        fi
        printf '%s\n' "$wanted" >"$spark_stamp"
    fi
    # From here on a test that finds no Spark fails instead of being skipped.
    export YYASSESS_NEED_SPARK=1
}

setup_environment() { # web | dev
    local python
    if [ -z "${PYTHON:-}" ] && usable_python .venv/bin/python; then
        python=.venv/bin/python
    else
        python=$(pick_python)
    fi
    ensure_system_packages "$1"
    make_venv
    install_locked "$1"
    [ "$1" != dev ] || setup_spark
    export PATH="$PWD/.venv/bin:$PATH"
}
