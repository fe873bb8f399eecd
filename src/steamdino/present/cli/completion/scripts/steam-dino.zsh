#compdef steam-dino
# Completion of steam-dino in zsh. In ~/.zshrc, after compinit: eval "$(steam-dino completion zsh)"
_steam_dino() {
  local -a lines values shown
  local line program=${(Q)words[1]} own current=$PREFIX
  # In quotes, the word is already as it is meant.
  [[ -n $compstate[quote] ]] || current=${(Q)PREFIX}
  lines=("${(@f)$("${~program}" __complete zsh "${(@Q)words[1,CURRENT-1]}" "$current" 2>/dev/null)}")
  own=$lines[1]
  for line in "${(@)lines[2,-1]}"; do
    values+=("${line%%$'\t'*}")
    shown+=("${line%%$'\t'*}${${line#*$'\t'}:+  (${line#*$'\t'})}")
  done
  (( $#values )) && compadd -l -d shown -a values
  case $own in
    files) _files ;;
    folders) _files -/ ;;
  esac
}
(( $+functions[compdef] )) && compdef _steam_dino steam-dino
