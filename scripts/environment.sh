# shellcheck shell=bash
# Sourced by the other scripts: finds Python, makes .venv from a lock, and installs Debian packages where it may.
# After `prepare LOCK` the environment of that lock is in $venv, and $root is the repository.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv

# Install Debian packages as root; as anybody else say in one line which to ask for, and end.
debian_install() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "missing Debian packages; ask for them: apt-get install $*" >&2
        exit 1
    fi
    echo "installing Debian packages: $*" >&2
    (
        refuse_daemons
        export DEBIAN_FRONTEND=noninteractive
        if [ -z "${lists_are_fresh:-}" ]; then apt-get update -qq; fi
        apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
    )
    lists_are_fresh=yes
}

# Until this (sub)shell ends no package may start a daemon; the host's own rule is then put back.
refuse_daemons() {
    policy=/usr/sbin/policy-rc.d
    saved=$(mktemp -d)
    if [ -e $policy ] || [ -L $policy ]; then cp -a $policy "$saved/policy"; fi
    trap 'rm -f $policy; if [ -e "$saved/policy" ] || [ -L "$saved/policy" ]; then mv "$saved/policy" $policy; fi
        rm -rf "$saved"' EXIT
    trap 'exit 130' INT TERM HUP
    rm -f $policy
    printf '#!/bin/sh\n# HySDS is installing a package whose daemon must not start.\nexit 101\n' >$policy
    chmod 755 $policy
}

# Print the first Python of at least 3.11; $1 is a further condition on it.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if "$name" -c "import sys; assert sys.version_info >= (3, 11); $1" >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    return 1
}

# A Python that can make environments: Debian ships venv and ensurepip apart from Python.
need_python() {
    if find_python 'import venv, ensurepip; ensurepip.version()'; then return; fi
    debian_install python3-venv >&2 # which brings python3
    if find_python 'import venv, ensurepip; ensurepip.version()'; then return; fi
    echo "Python 3.11 or later with venv is needed, and this system has none" >&2
    exit 1
}

# What decides whether the environment is still right: where it lies, the lock, and how the package is declared
# (setup.cfg up to the configuration of the tools).
fingerprint() {
    { echo "$root"; cat "$root/$1" "$root/requirements.in"; sed '/^\[tool:pytest\]/q' "$root/setup.cfg"; } | sha256sum
}

# Make $venv hold what lock $1 names and an editable HySDS; at once when it already does.
prepare() {
    local stamp=$venv/.installed-$1 wanted python
    wanted=$(fingerprint "$1")
    if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
    if ! "$venv/bin/python" -c 'import sys; assert sys.version_info >= (3, 11)' 2>/dev/null; then
        python=$(need_python)
        echo "making $venv with $python" >&2
        "$python" -m venv --clear "$venv"
    fi
    if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then "$venv/bin/python" -m ensurepip >/dev/null; fi
    echo "installing $1" >&2
    local pip=("$venv/bin/python" -m pip --quiet --disable-pip-version-check --no-input install)
    "${pip[@]}" --require-hashes --requirement "$root/$1"
    "${pip[@]}" --no-deps --no-build-isolation --use-pep517 --editable "$root"
    echo "$wanted" >"$stamp"
}
