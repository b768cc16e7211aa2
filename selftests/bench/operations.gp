# SPDX-License-Identifier: GPL-2.0
# Instructions in a guest by instructions on the host; out: the folder with operations.dat
set terminal pngcairo size 1100,920 font "DejaVu Sans,11" background "#ffffff"
set output out."/operations.png"
data = out."/operations.dat"
stats data using 2 nooutput
rows = STATS_records + STATS_invalid
set title "Instructions in a guest, by the host's for the same operation" font ",15" offset 0,0.3
set logscale x 2
set xrange [0.11:8.5]
set xtics ("1/8" 0.125, "1/4" 0.25, "1/2" 0.5, "equal" 1, "2x" 2, "4x" 4, "8x" 8) scale 0
set yrange [rows-0.3:-0.9]
set ytics scale 0
set grid xtics lc rgb "#e4e4e4" lt 1
set border 0
set lmargin 39
set rmargin 4
set tmargin 5
set bmargin 3
set key at graph 0.5, graph 1.025 center horizontal samplen 1.5 width 2
set arrow 1 from 1,-0.9 to 1,rows-0.3 nohead lc rgb "#404040" lw 1.5 front
set label 1 "cheaper than the host" at 0.125, -0.55 tc rgb "#2a7f62" font ",10"
set label 2 "dearer" at 8, -0.55 right tc rgb "#b3472d" font ",10"
plot data using (1):($0-0.19):(1):2:($0-0.36):($0-0.02):ytic(1) with boxxyerror fs solid noborder lc rgb "#31688e" title "Linux 6.1", \
     data using (1):($0+0.19):(1):3:($0+0.02):($0+0.36) with boxxyerror fs solid noborder lc rgb "#fd9a44" title "Linux 6.12", \
     data using ($2>1?$2*1.03:$2/1.03):($0-0.19):(sprintf("%.2f",$2)) with labels left font ",8" tc rgb "#31688e" notitle, \
     data using ($3>1?$3*1.03:$3/1.03):($0+0.19):(sprintf("%.2f",$3)) with labels left font ",8" tc rgb "#a85a10" notitle
