#!/usr/bin/env bash
# Runs a command with a real Docker engine and a small image with Python and pip: engine.sh pytest tests/integration/docker
#
# The command sees DOCKER_HOST, and FLEECE_TEST_ENGINE, which has the tests use that engine in place of the stub.
# Where DOCKER_HOST is set already, that engine is used. Else Debian's docker.io is unpacked into a temporary folder,
# which takes root, and is gone afterwards: nothing is installed. The image is made of this machine's own Debian
# packages (python3 and python3-pip among them), so no image registry is asked.
set -euo pipefail

image=${FLEECE_TEST_IMAGE:=fleece-test/base:python}
export FLEECE_TEST_IMAGE FLEECE_TEST_ENGINE=real

say() { printf '%s (%ss)\n' "$1" "$SECONDS" >&2; }
answers() { python -c 'import docker; docker.from_env(timeout=5).ping()' 2>"$state/why"; }

state=$(mktemp -d)
daemon=

# Runs a program of the unpacked packages.
unpacked() {
  local at=$FLEECE_TEST_PROGRAMS libraries
  libraries=("$at"/usr/lib/*-linux-gnu)
  PATH=$at/usr/sbin:$at/usr/bin:$PATH LD_LIBRARY_PATH=${libraries[0]} XTABLES_LIBDIR=${libraries[0]}/xtables "$@"
}

stop() {
  if [ -n "$daemon" ]; then
    kill "$daemon" 2>/dev/null || true
    while kill -0 "$daemon" 2>/dev/null; do sleep 0.1; done
    unpacked iptables-nft-restore <"$state/rules" || true
    [ -e "$state/had-bridge" ] || python3 - <<'PYTHON' || true
import fcntl, socket, struct
SIOCSIFFLAGS, SIOCBRDELBR = 0x8914, 0x89A1
with socket.socket() as control:
    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh", b"docker0", 0))
    fcntl.ioctl(control, SIOCBRDELBR, struct.pack("16s", b"docker0"))
PYTHON
  fi
  rm -rf "$state"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start() {
  [ "$(id -u)" = 0 ] || { echo "engine.sh: starting an engine takes root; or set DOCKER_HOST to one that runs" >&2; exit 1; }
  # A test starts an engine of its own with them.
  export FLEECE_TEST_PROGRAMS=$state/programs
  export -f unpacked
  mkdir "$FLEECE_TEST_PROGRAMS"
  apt-get update -qq
  (
    cd "$FLEECE_TEST_PROGRAMS"
    apt-get download -qq -o APT::Sandbox::User=root docker.io containerd runc tini iptables libip6tc2 libnfnetlink0 libnetfilter-conntrack3 libnftnl11
    for package in *.deb; do dpkg-deb -x "$package" .; done
    rm -f ./*.deb
    ln -sf iptables-nft usr/sbin/iptables
    ln -sf ip6tables-nft usr/sbin/ip6tables
  )
  say "The engine is unpacked"
  unpacked iptables-nft-save >"$state/rules"
  [ ! -e /sys/class/net/docker0 ] || touch "$state/had-bridge"
  export DOCKER_HOST=unix://$state/docker.sock
  # In a session of its own: Ctrl-C is for the command, and the engine is needed until that has cleaned up.
  unpacked exec setsid dockerd --data-root "$state/root" --exec-root "$state/exec" --pidfile "$state/pid" \
    -H "$DOCKER_HOST" >"$state/log" 2>&1 </dev/null &
  daemon=$!
  for _ in $(seq 200); do
    ! answers || { say "The engine answers"; return; }
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.1
  done
  cat "$state/why" >&2
  tail "$state/log" >&2
  echo "engine.sh: the engine did not start" >&2
  exit 1
}

# The root file system of this machine's own Debian python3, pip and zip, as a tar stream.
base() {
  local packages
  packages=$(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-enhances --no-conflicts \
    --no-breaks --no-replaces bash dash coreutils sed grep findutils tar gzip mawk libc-bin base-files base-passwd \
    ca-certificates python3 python3-pip zip |
    grep -oE '^[a-z0-9][a-z0-9+.-]*' | sort -u | grep -vxE 'dpkg|perl.*|libperl.*|debconf.*|tzdata')
  {
    printf '%s\n' /bin /lib /lib64 /sbin /etc/passwd /etc/group /etc/nsswitch.conf /etc/ssl/certs/ca-certificates.crt \
      /usr/bin/awk /etc/alternatives/awk
    # shellcheck disable=SC2086 # one word for each package
    dpkg -L $packages 2>/dev/null
  } | grep -vE '^/usr/share/(doc|man|locale|info|lintian)/' |
    sed -E 's#^/\.$#/#; s#^/(bin|sbin|lib|lib64)/#/usr/\1/#' | LC_ALL=C sort -u |
    while read -r file; do if [ -e "$file" ] || [ -L "$file" ]; then echo ".$file"; fi; done |
    tar -C / --no-recursion -c -T -
}

if [ -z "${DOCKER_HOST-}" ]; then
  start
elif ! answers; then
  cat "$state/why" >&2
  echo "engine.sh: no engine answers at DOCKER_HOST, $DOCKER_HOST: start it, or unset the variable" >&2
  exit 1
fi
base >"$state/base.tar"
python - "$image" "$state/base.tar" <<'PYTHON'
import sys
import docker

name, archive = sys.argv[1:]
repository, _, tag = name.rpartition(":")
docker.from_env().api.import_image_from_file(
    archive,
    repository=repository,
    tag=tag,
    changes=["ENV PATH=/usr/local/bin:/usr/bin:/usr/sbin PIP_BREAK_SYSTEM_PACKAGES=1"],
)
PYTHON
say "The image $image is made"

"$@"
