#!/bin/sh
# Install Debian packages when we may; otherwise name them in one line.
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null && exit 0
fi
echo "needed: $*; install it (Debian: sudo apt-get install $*) and give the same command again" >&2
exit 2
