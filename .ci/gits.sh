#!/usr/bin/env bash
# Unpack other versions of git for the tests: that of the release of Debian before the machine's, and that of the one after.
# Writes a directory with a program `git` for each below $1, which is absolute. Nothing is installed.
set -euo pipefail
url=$(apt-cache policy git | grep -oE 'https?://[^ ]+/debian ' | head -n 1 | tr -d ' ')
for suite in bullseye trixie; do
  here=$1/$suite
  mkdir -p "$here"/state/lists/partial "$here"/cache/archives/partial "$here"/root
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $url $suite main" >"$here/list"
  options=(-qq -o "Dir::Etc::sourcelist=$here/list" -o Dir::Etc::sourceparts=- -o "Dir::State=$here/state")
  options+=(-o "Dir::State::status=/var/lib/dpkg/status" -o "Dir::Cache=$here/cache" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update
  (cd "$here" && apt-get "${options[@]}" download "git/$suite" "libc6/$suite" "libpcre2-8-0/$suite" "zlib1g/$suite")
  for package in "$here"/*.deb; do dpkg -x "$package" "$here/root"; done
  loader=$(find "$here/root" -name 'ld-linux-*.so.*' -o -name 'ld-2*.so' | head -n 1)
  libraries=$(dirname "$(find "$here/root" -name 'libc.so.6' | head -n 1)"):$here/root/usr/lib/$(uname -m)-linux-gnu
  core=$here/root/usr/lib/git-core
  start="exec $loader --library-path $libraries $here/root/usr/bin/git"
  mkdir "$here/bin"
  printf '#!/bin/sh\nGIT_EXEC_PATH=%s GIT_TEMPLATE_DIR=%s\nexport GIT_EXEC_PATH GIT_TEMPLATE_DIR\n%s "$@"\n' \
    "$core" "$here/root/usr/share/git-core/templates" "$start" >"$here/bin/git"
  rm "$core/git" "$core/git-upload-pack"  # git starts itself by these names
  cp "$here/bin/git" "$core/git"
  printf '#!/bin/sh\n%s upload-pack "$@"\n' "$start" >"$core/git-upload-pack"
  chmod +x "$here/bin/git" "$core/git" "$core/git-upload-pack"
  "$here/bin/git" version
done
