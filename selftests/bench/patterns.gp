# SPDX-License-Identifier: GPL-2.0
# Accesses per second in more memory than there is; out: the folder with patterns.dat
set terminal pngcairo size 1100,900 font "DejaVu Sans,11" background "#ffffff"
set output out."/patterns.png"
data = out."/patterns.dat"
set multiplot layout 2,1 margins 0.1,0.98,0.08,0.88 spacing 0.1,0.12 \
	title "Accesses per second with 64 MiB of memory" font ",15"
set style data histograms
set style histogram clustered gap 1
set style fill solid noborder
set boxwidth 0.9
set logscale y
set yrange [10000:1000000]
set ytics ("10,000" 1e4, "30,000" 3e4, "100,000" 1e5, "300,000" 3e5, "1,000,000" 1e6) scale 0
set xtics scale 0
set grid ytics lc rgb "#e4e4e4" lt 1
set border 1 lc rgb "#404040"
set key at screen 0.54,0.93 center maxrows 1 samplen 1.5 width 1
do for [i=0:1] {
	set label 1 (i == 0 ? "Linux 6.1" : "Linux 6.12") at graph 0.005, graph 0.95 font ",12"
	if (i == 1) { unset key }
	plot data index i using 2:xtic(1) lc rgb "#b5b5b5" title "cgroup v2, zram beside it", \
	     data index i using 3 lc rgb "#31688e" title "guest, store inside it", \
	     data index i using 4 lc rgb "#35b779" title "guest, same memory in all"
}
unset multiplot
