/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/machine/module-build.h"
#include "cli/print/output.h"

/*
 * StatusBuild: which build of a module is in the kernel, which one its file has, and what the kernel holds against it.
 * Looked at by lkmctl itself, on its own machine. Owns its texts.
 */
typedef struct StatusBuild {
        ModuleBuild loaded, on_disk;
        BuildMatch match;
        char *licence, *signer;         /* of the file; NULL: none */
        bool is_read,
                is_signed; /* the file; whether the kernel trusts the signature, only the kernel knows */
        char *taint;                    /* letters; NULL: it is not in the kernel */
} StatusBuild;

int status_build_look(const Machine *machine, const char *module, const char *path, StatusBuild *ret);
void status_build_clear(StatusBuild *b);
int status_build_to_json(const StatusBuild *b, sd_json_variant **ret);
void status_build_print(const Output *out, const StatusBuild *b, const char *module);
int status_print_taint(const Output *out, const Machine *machine);
