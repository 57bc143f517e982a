/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ModuleFile: which files lkmd-loader passes to the kernel; lkmd and lkmctl ask the same question beforehand. */

int module_file_find(const char *root, const char *base, const char *path);
