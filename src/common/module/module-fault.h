/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/*
 * ModuleFault: why a module file cannot be loaded, as far as the file itself shows: what lkmd-loader would refuse, and
 * what the kernel would. lkmd and lkmctl say it in the same words.
 */
typedef enum ModuleFaultKind {
        MODULE_HAS_NO_FAULT,            /* or none that shows, or it cannot be told */
        MODULE_FILE_MISSING,
        MODULE_FILE_ELSEWHERE,          /* not below /lib/modules as it is written */
        MODULE_FILE_FOREIGN,            /* others than root could have written it, or have led there */
        MODULE_FILE_IRREGULAR,          /* a directory, a device, ... */
        MODULE_FILE_EMPTY,
        MODULE_FILE_ALIEN,              /* no module at all */
        MODULE_FILE_BROKEN,             /* cut off, or not to be decompressed */
        MODULE_FILE_OF_OTHER_MACHINE,
        MODULE_FILE_OF_OTHER_KERNEL,
        _MODULE_FAULT_KIND_MAX,
} ModuleFaultKind;

typedef struct ModuleFault {
        ModuleFaultKind kind;
        char *detail;                   /* MODULE_FILE_OF_OTHER_KERNEL: the release; else NULL */
        int unknown;                    /* negative errno, why the file could not be looked into; 0: it was */
} ModuleFault;

int module_fault_look(const char *path, ModuleFault *ret);
int module_fault_of_vermagic(const char *path, const char *vermagic, ModuleFault *ret);
bool module_fault_is_of_loader(ModuleFaultKind kind);
int module_fault_clause(const ModuleFault *fault, char **ret);
const char *module_fault_unknown_text(int error);
const char *module_fault_remedy(ModuleFaultKind kind);
void module_fault_clear(ModuleFault *f);
