# Completion of steam-dino in bash. In ~/.bashrc: eval "$(steam-dino completion bash)"
_steam_dino() {
  local line value IFS=$'\n' first=yes
  COMPREPLY=()
  while IFS= read -r line; do
    if [ -n "$first" ]; then
      first=
      # Where no value fits, readline goes on with names of files.
      case $line in
        files) compopt -o default 2>/dev/null ;;
        folders) compopt -o dirnames 2>/dev/null ;;
      esac
      continue
    fi
    value=${line%%$'\t'*}
    COMPREPLY+=("$value")
  done < <("$1" __complete bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  # An option that takes a value, and a folder of an id, go on without a space.
  if [ "${#COMPREPLY[@]}" -eq 1 ]; then
    case ${COMPREPLY[0]} in */ | *=) compopt -o nospace 2>/dev/null ;; esac
  fi
}
complete -F _steam_dino steam-dino
