# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Puts the paragraphs that scdoc writes at the end of indented blocks behind them, and leaves out those that are empty, around
# headings: mandoc -T lint is to have nothing to say.
$0 == ".PP" { waiting = 1; next }
/^\.(SH|SS|TH|RS)( |$)/ { waiting = 0 }
/^\.RE( |$)/ { print; next }
{
        if (waiting && !heading)
                print ".PP"
        waiting = 0
        heading = $0 ~ /^\.(SH|SS|TH)( |$)/
        print
}
