/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/print/output.h"
#include "common/base/util.h"

typedef enum DiagnosisState {
        DIAGNOSIS_OK,
        DIAGNOSIS_NOTE,                 /* worth knowing, and what somebody decided so */
        DIAGNOSIS_UNKNOWN,              /* it could not be looked at */
        DIAGNOSIS_REPAIR,               /* it needs a hand */
        _DIAGNOSIS_STATE_MAX,
} DiagnosisState;

/* Diagnosis: what one check found, with the command that changes it. */
typedef struct Diagnosis {
        const char *check;              /* static: its name */
        DiagnosisState state;
        char *sentence;                 /* without a full stop; escaped already */
        char *command;                  /* likewise; NULL: nothing to do */
} Diagnosis;

typedef struct Diagnoses {
        Diagnosis *items;
        size_t n_items;
        const char *check;              /* the one that looks now */
} Diagnoses;

const char *diagnosis_state_to_string(DiagnosisState state);
int diagnoses_add(Diagnoses *l, DiagnosisState state, const char *command, const char *format, ...)
        _printf_(4, 5);
void diagnoses_clear(Diagnoses *l);
size_t diagnoses_count(const Diagnoses *l, DiagnosisState state);
int diagnosis_to_json(const Diagnosis *d, sd_json_variant **ret);
void diagnoses_print(const Output *out, const Diagnoses *l);
