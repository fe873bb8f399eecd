#!/usr/bin/env bash
# Run all findings, or those that are named, and say which still hold. Each may take three minutes.
set -uo pipefail
cd "$(dirname "$0")/.."
[ "$#" -gt 0 ] || set -- findings/*.sh
changed=()
for script in "$@"; do
  started=$SECONDS
  echo "== $(basename "$script" .sh)"
  if timeout 180 bash "$script"; then
    echo "   holds ($((SECONDS - started)) s)"
  else
    echo "   CHANGED: exit code $? ($((SECONDS - started)) s)"
    changed+=("$script")
  fi
done
echo "$(($# - ${#changed[@]})) of $# findings hold"
[ "${#changed[@]}" -eq 0 ] || printf 'changed: %s\n' "${changed[@]}"
[ "${#changed[@]}" -eq 0 ]
