# SPDX-License-Identifier: GPL-2.0
# Completion of the lodge command for bash, with or without the bash-completion package.

_lodge_options()
{
	lodge "$1" --help 2>/dev/null | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -e '--[a-z-]+'
}

# The files of a guest that can be written, but for procs: processes bind themselves.
_lodge_fields()
{
	local root=${LODGE_ROOT:-/sys/fs/lodge} path

	for path in "$root/$1"/*; do
		if [[ $path != */procs && -f $path && -n $(find "$path" -perm /222 2>/dev/null) ]]; then
			echo "${path##*/}="
		fi
	done
}

# The guests that the file after -f describes.
_lodge_described()
{
	local i

	for ((i = 2; i < COMP_CWORD - 1; i++)); do
		case ${COMP_WORDS[i]} in
		-f | --file)
			sed -n 's/^[[:space:]]*\[[[:space:]]*\([A-Za-z0-9._-]*\)[[:space:]]*\].*/\1/p' \
				"${COMP_WORDS[i + 1]}" 2>/dev/null | grep -vx defaults
			return 0
			;;
		esac
	done
	return 1
}

# Words before the command that lodge run or boot starts: skips options and their arguments.
_lodge_command_index()
{
	local i

	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)
			echo $((i + 1))
			return
			;;
		-m | -n | -j | --memory | --min | --swap | --swap-max | --zswap-max | --name | --join | \
			-C | -e | --console | --serial | --record | --root | --cow | --disk | --share | --rootdir | --chdir | --env | --host | --kernel | --append | \
			--processes | --nice)
			((i++))
			;;
		-*)
			;;
		*)
			echo "$i"
			return
			;;
		esac
	done
	echo "$COMP_CWORD"
}

_lodge()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} names="" index

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$(lodge --help 2>/dev/null |
			sed -n 's/^  \([a-z]*\)  .*/\1/p') help" -- "$word")
		return
	fi
	case $before in
	--rootdir | --share | -C | --chdir)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	-e | --env)
		mapfile -t COMPREPLY < <(compgen -e -- "$word")
		return
		;;
	--record)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	--console | --serial)
		mapfile -t COMPREPLY < <(compgen -W "stdio attach pty port= xterm fd= null none" -- "$word")
		compopt -o nospace 2>/dev/null
		return
		;;
	--swap | --kernel | --root | --cow | --disk | --script | -f | --file)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	-j | --join)
		mapfile -t COMPREPLY < <(compgen -W "$(lodge ls -q 2>/dev/null)" -- "$word")
		return
		;;
	-o | --owner)
		mapfile -t COMPREPLY < <(compgen -u -- "$word")
		return
		;;
	--host)
		mapfile -t COMPREPLY < <(compgen -W "user module" -- "$word")
		return
		;;
	-s | --sort)
		mapfile -t COMPREPLY < <(compgen -W "name memory faults swap" -- "$word")
		return
		;;
	-m | -n | -d | --memory | --min | --swap-max | --zswap-max | --name | --delay | --iterations | \
		--suite | --packages | --size | --mirror | --hostname | --root-password)
		return
		;;
	esac
	if [[ $command == boot && $word != -* ]] && names=$(_lodge_described); then
		mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
		return
	fi
	if [[ $command == run || $command == boot ]]; then
		index=$(_lodge_command_index)
		if ((COMP_CWORD > index)); then
			# The rest is the started command's business.
			if declare -F _command_offset >/dev/null; then
				_command_offset "$index"
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$word")
			fi
			return
		fi
		if [[ $word != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -c -- "$word")
			return
		fi
	fi
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_lodge_options "$command")" -- "$word")
		return
	fi
	case $command in
	help)
		mapfile -t COMPREPLY < <(compgen -W "$(lodge --help 2>/dev/null |
			sed -n 's/^  \([a-z]*\)  .*/\1/p')" -- "$word")
		return
		;;
	set)
		if ((COMP_CWORD > 2)) && [[ $before != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_lodge_fields "${COMP_WORDS[2]}")" -- "$word")
			compopt -o nospace 2>/dev/null
			return
		fi
		names=$(lodge ls -q 2>/dev/null)
		;;
	image)
		case $COMP_CWORD:${COMP_WORDS[2]} in
		2:*)	mapfile -t COMPREPLY < <(compgen -W "build info cow" -- "$word") ;;
		3:cow)	mapfile -t COMPREPLY < <(compgen -W "create info merge rebase" -- "$word") ;;
		*)	mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
		esac
		return
		;;
	disk | net)
		case $COMP_CWORD:${COMP_WORDS[2]} in
		2:*)		names="add ls remove" ;;
		3:*)		names=$(lodge ls -q 2>/dev/null) ;;
		4:remove)	names=$(lodge "$command" ls "${COMP_WORDS[3]}" 2>/dev/null |
					awk 'NR > 1 { print $1 }') ;;
		4:add)
			if [[ $command == net ]]; then
				names="user tap= fd= vde= mcast="
				compopt -o nospace 2>/dev/null
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$word")
				return
			fi
			;;
		esac
		;;
	backup)
		if ((COMP_CWORD > 2)); then
			mapfile -t COMPREPLY < <(compgen -d -- "$word")
			return
		fi
		names=$(lodge ls -q 2>/dev/null)
		;;
	console | logs)
		# A guest, then one of its consoles.
		if ((COMP_CWORD > 2)) && [[ $before != -* ]]; then
			names=$(lodge console --list "$before" 2>/dev/null | awk 'NR > 1 { print $1 }')
		else
			names=$(lodge ls -q 2>/dev/null)
		fi
		;;
	destroy | ps | stat | halt | kill | pause | resume | mconsole | rm)
		names=$(lodge ls -q 2>/dev/null)
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
}

complete -F _lodge lodge
