# SPDX-License-Identifier: GPL-2.0
# How often the host's own count an operation takes in a guest; out: the folder with guest.dat
set terminal pngcairo size 1100,900 font "DejaVu Sans,11" background "#ffffff" noenhanced
set output out."/guest.png"
data = out."/guest.dat"
load out."/guest.var"	# kernels, titles and others, who they are
stats data index 0 using 2 nooutput
rows = STATS_records
array color[4] = ["#b5b5b5", "#31688e", "#35b779", "#f08c38"]
set multiplot layout 1,|kernels| margins 0.27,0.98,0.07,0.86 spacing 0.03,0.1 \
	title "Instructions in a guest, by the host's own for the same operation" font ",15"
set logscale x 2
set xrange [0.7:128]
set xtics ("1" 1, "2x" 2, "4x" 4, "8x" 8, "16x" 16, "32x" 32, "64x" 64) scale 0
set yrange [rows-0.4:-0.6]
set grid xtics lc rgb "#e4e4e4" lt 1
set border 0
set ytics scale 0
set key at screen 0.5,0.945 center maxrows 2 samplen 1.5 width 1 font ",11"
high = 0.8 / others
low(c) = -0.4 + (c - 1) * high
bars = "for [c=1:others] data index k using (1):($0+low(c)):(1):(column(c+1)):" \
	."($0+low(c)):($0+low(c)+high*0.9) with boxxyerror fs solid noborder " \
	."lc rgb color[c] title titles[c]"
# Beside the bar, on its right, also where that ends left of 1.
figures = "for [c=1:others] data index k using ((column(c+1) > 1 ? column(c+1) : 1)*1.05):($0+low(c)+high/2):" \
	.'(sprintf(column(c+1) < 10 ? "%.1f" : "%.0f", column(c+1))) ' \
	."with labels left font ',7' notitle"
do for [k=0:|kernels|-1] {
	set label 1 kernels[k+1] at graph 0.5, screen 0.885 center font ",12"
	if (k == 0) {
		plot @bars, @figures, data index k using (0.1):0:ytic(1) with points notitle
	} else {
		unset key
		unset ytics
		plot @bars, @figures
	}
}
unset multiplot
