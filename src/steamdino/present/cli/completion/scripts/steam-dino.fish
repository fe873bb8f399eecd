# Completion of steam-dino in fish. In ~/.config/fish/config.fish: steam-dino completion fish | source
function __steam_dino_answer
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l program $tokens[1]
    set -l answer ($program __complete fish $tokens (string unescape -- $current; or echo $current) 2>/dev/null)
    for line in $answer[2..-1]
        echo $line
    end
    switch "$answer[1]"
        case files
            __fish_complete_path $current
        case folders
            __fish_complete_directories $current
    end
end
complete -c steam-dino -f -a '(__steam_dino_answer)'
