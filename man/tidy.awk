# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Puts the paragraphs that scdoc writes at the end of indented blocks behind them, and leaves out those that are empty, around
# headings: mandoc -T lint is to have nothing to say. A page with a table begins with the line by which man(1) knows that it needs tbl(1).
$0 == ".PP" { waiting = 1; next }
/^\.(SH|SS|TH|RS)( |$)/ { waiting = 0 }
/^\.RE( |$)/ { put($0); next }
{
        if (waiting && !heading)
                put(".PP")
        waiting = 0
        heading = $0 ~ /^\.(SH|SS|TH)( |$)/
        put($0)
}
END {
        if (table)
                print "'\\\" t"
        for (i = 1; i <= n; i++)
                print lines[i]
}
function put(line) {
        lines[++n] = line
        if (line == ".TS")
                table = 1
}
