/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/limits.h"
#include "common/base/origin.h"
#include "common/modprobe/modprobe-config.h"
#include "common/module/module-info.h"

/*
 * PolicySubject: what the policy judges, a module and its request; and the keys of "match:", by which rules match
 * it.
 */

/* The user of a request of the kernel's whose process is not known: nobody, and so not root. See get_uid(). */
#define POLICY_UID_UNKNOWN UINT32_MAX

/* Who asks, for what. A field that is not known is NULL; for uid, has_uid is false. Borrowed. */
typedef struct PolicyRequester {
        RequestOrigin origin;           /* _ORIGIN_INVALID: there is no request */
        const char *key;                /* as asked: name, alias or modalias */
        const char *subsystem;          /* of the device */
        const char *driver;             /* that is bound to the device already */
        const char *unit;               /* systemd unit of the client, or of the process for which the kernel asks */
        bool has_uid;
        uid_t uid;
        uint32_t unknown;               /* keys that have a value even if it is not known; 0 in lkmd */
        const char *command;            /* name of that process; of clients it is not known for certain, so NULL */
        const char *container;          /* that this process is in; of clients NULL */
} PolicyRequester;

typedef enum PolicyPart {               /* what a module is to its request */
        POLICY_REQUESTED,
        POLICY_DEPENDENCY,              /* the default does not apply to it */
        POLICY_SOFTDEP,
        _POLICY_PART_MAX,
} PolicyPart;

typedef struct PolicySubject {
        const PolicyRequester *requester; /* NULL: not known */
        PolicyPart part;
        const char *module;             /* normalised */
        const char *path;               /* of its file; NULL: it has none */
        const ConfigEntry *install;     /* an install line that denies; NULL: none */
        const ConfigEntry *blacklist;   /* a blacklist line that applies to this part; NULL: none */
        const ConfigEntry *command_line_blacklist; /* likewise, of the kernel command line */
} PolicySubject;

/*
 * Called only if a rule has a key of the file. Return: NULL: the file cannot be read; else valid as long as the
 * policy.
 */
typedef const ModuleFacts *(*policy_facts_t)(const char *path, void *userdata);

/* What it takes to match a key: cheaper ones are matched first, since most rules are decided by them. */
typedef enum PolicyKeyCost {
        POLICY_COST_WORD,
        POLICY_COST_NAME,               /* globs of modules */
        POLICY_COST_ALIAS,              /* globs of aliases, which are long */
        POLICY_COST_FILE,               /* the module's file is read */
        _POLICY_KEY_COST_MAX,
} PolicyKeyCost;

/* PolicyQuestion: a subject that is being judged, with the values that are computed once for all rules. */
typedef struct PolicyQuestion {
        const PolicySubject *subject;
        policy_facts_t find_facts;      /* NULL: no file can be read */
        void *facts_userdata;
        const char *alias;              /* the key of the request, normalised; NULL: none, or the module's own name */
        char alias_buffer[REQUEST_KEY_MAX + 1];
        bool facts_asked;
        const ModuleFacts *facts;
        uint32_t keys_of_cost[_POLICY_KEY_COST_MAX]; /* POLICY_KEY_BIT() */
} PolicyQuestion;

void policy_question_init(PolicyQuestion *q, const PolicySubject *subject, policy_facts_t find_facts,
                          void *facts_userdata);

typedef enum PolicyKey {                /* the keys of "match:" */
        POLICY_KEY_MODULE,
        POLICY_KEY_PATH,
        POLICY_KEY_LICENSE,
        POLICY_KEY_SIGNED,
        POLICY_KEY_SIGNER,
        POLICY_KEY_INTREE,
        POLICY_KEY_ALIAS,
        POLICY_KEY_MODALIAS,
        POLICY_KEY_ORIGIN,
        POLICY_KEY_SUBSYSTEM,
        POLICY_KEY_DRIVER,
        POLICY_KEY_UID,
        POLICY_KEY_UNIT,
        POLICY_KEY_COMMAND,
        POLICY_KEY_CONTAINER,
        _POLICY_KEY_MAX,
        _POLICY_KEY_INVALID = -EINVAL,
} PolicyKey;

/* Does the key have a value that is not known here? Otherwise it has none, or the value is known. */
bool policy_question_lacks(const PolicyQuestion *q, PolicyKey key);

typedef enum PolicyValueKind {          /* how the values of a key are written; policy-pattern.c parses them */
        POLICY_VALUE_MODULE,            /* globs of module names */
        POLICY_VALUE_ALIAS,             /* globs of aliases */
        POLICY_VALUE_TEXT,              /* globs of anything else */
        POLICY_VALUE_BOOLEAN,           /* yes or no */
        POLICY_VALUE_ORIGIN,            /* words of RequestOrigin */
        POLICY_VALUE_NUMBER,            /* user IDs or ranges of them */
        _POLICY_VALUE_KIND_MAX,
} PolicyValueKind;

typedef enum PolicyKeyOwner {           /* what a key describes, and for which requests it is known */
        POLICY_KEY_OF_MODULE,           /* the module itself */
        POLICY_KEY_OF_REQUEST,          /* any request */
        POLICY_KEY_OF_DEVICE,           /* requests of devices only */
        POLICY_KEY_OF_PROCESS,          /* requests of clients, containers and programs only */
        POLICY_KEY_OF_PROGRAM,          /* requests of programs only, for which the kernel asks */
        POLICY_KEY_OF_CONTAINER,        /* requests of containers, by themselves or for programs in them */
        _POLICY_KEY_OWNER_MAX,
} PolicyKeyOwner;

typedef struct PolicyKeyInfo {
        const char *name;               /* in files */
        PolicyValueKind value;
        PolicyKeyOwner owner;
        PolicyKeyCost cost;
        /* The value in this question, by one of the two. NULL or false: not known. */
        const char *(*get_text)(PolicyQuestion *q);
        bool (*get_number)(const PolicyQuestion *q, uint32_t *ret);
} PolicyKeyInfo;

extern const PolicyKeyInfo policy_keys[_POLICY_KEY_MAX];

/* Sets of keys. */
#define POLICY_KEY_BIT(key) (UINT32_C(1) << (key))
#define POLICY_KEYS_ALL UINT32_MAX
_Static_assert(_POLICY_KEY_MAX <= 32, "there is a bit for each key");
uint32_t policy_keys_of(PolicyKeyOwner owner);

bool policy_key_is_known(PolicyKey key, RequestOrigin origin); /* for requests of this origin */
const char *policy_key_to_string(PolicyKey key);
PolicyKey policy_key_from_string(const char *s);
