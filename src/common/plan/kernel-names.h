/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/index/index.h"
#include "common/module/file-facts.h"

/*
 * KernelNames: the index, modprobe.d and requests call a module by its file, /sys/module by what is inside of it.
 * Mostly both are the same; Debian's nvidia-current.ko has the module "nvidia".
 */
const char *kernel_name_of(const Index *index, FileFacts *files, const char *module, FileFactsEffort effort);
const IndexModule *kernel_name_find(const Index *index, FileFacts *files, const char *kernel_name);
