# SPDX-License-Identifier: GPL-2.0
# Instructions in a guest by instructions on the host; out: the folder with operations.dat
set terminal pngcairo size 1100,960 font "DejaVu Sans,11" background "#ffffff" noenhanced
set output out."/operations.png"
data = out."/operations.dat"
stats data using 0 nooutput
rows = STATS_records
left = 0.045
old = "#31688e"
new = "#f08c38"
set title "Instructions in a guest, by the host's for the same operation" font ",15" offset -10,2.2
set logscale x 2
set xrange [left:9]
set xtics ("1/16" 0.0625, "1/8" 0.125, "1/4" 0.25, "1/2" 0.5, "equal" 1, "2x" 2, "4x" 4, "8x" 8) scale 0
set yrange [rows-0.3:-1.1]
set ytics scale 0
set grid xtics lc rgb "#e4e4e4" lt 1
set border 0
set lmargin 40
set rmargin 3
set tmargin 6
set bmargin 3
set key at graph 0.5, screen 0.935 center maxrows 1 samplen 1.5 width 3
set arrow 1 from 1,-1.1 to 1,rows-0.3 nohead lc rgb "#404040" lw 1.5 front
set label 1 "cheaper than the host" at 0.96,-0.75 right tc rgb "#2a7f62" font ",10"
set label 2 "dearer" at 1.04,-0.75 left tc rgb "#b3472d" font ",10"
end(v) = v > left ? v : left
below(v) = v < 1 ? v * 0.97 : NaN
above(v) = v >= 1 ? v * 1.03 : NaN
number(v) = sprintf("%.2f", v)
plot data using (1):($0-0.19):(1):(end($2)):($0-0.36):($0-0.02):ytic(1) with boxxyerror \
		fs solid noborder lc rgb old title "Linux 6.1", \
     data using (1):($0+0.19):(1):(end($3)):($0+0.02):($0+0.36) with boxxyerror \
		fs solid noborder lc rgb new title "Linux 6.12", \
     data using (above($2)):($0-0.19):(number($2)) with labels left font ",8" tc rgb old notitle, \
     data using (above($3)):($0+0.19):(number($3)) with labels left font ",8" tc rgb "#a85a10" notitle, \
     data using (below($2)):($0-0.19):(number($2)) with labels right font ",8" tc rgb old notitle, \
     data using (below($3)):($0+0.19):(number($3)) with labels right font ",8" tc rgb "#a85a10" notitle
