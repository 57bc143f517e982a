/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The part of the varlink interface that is about policies: what they say, what they did, exceptions from them. */

#include "common/interface/interface-policy.h"

/* ---------------------------------------------------------------------------------------------- types */

SD_VARLINK_DEFINE_ENUM_TYPE(
        PolicySource, SD_VARLINK_FIELD_COMMENT("module_blacklist= on the kernel command line: the kernel itself refuses."),
        SD_VARLINK_DEFINE_ENUM_VALUE(kernel),
        SD_VARLINK_FIELD_COMMENT("lkmd.deny=, lkmd.allow= or modprobe.blacklist= on the kernel command line."),
        SD_VARLINK_DEFINE_ENUM_VALUE(command_line),
        SD_VARLINK_FIELD_COMMENT("Allowed or denied for a time."),
        SD_VARLINK_DEFINE_ENUM_VALUE(grant),
        SD_VARLINK_FIELD_COMMENT("A rule of policy.d."),
        SD_VARLINK_DEFINE_ENUM_VALUE(rule),
        SD_VARLINK_FIELD_COMMENT("A rule of a list that a file of policy.d includes."),
        SD_VARLINK_DEFINE_ENUM_VALUE(list),
        SD_VARLINK_FIELD_COMMENT("An install line of modprobe.d that only denies."),
        SD_VARLINK_DEFINE_ENUM_VALUE(install),
        SD_VARLINK_FIELD_COMMENT("A blacklist line of modprobe.d."),
        SD_VARLINK_DEFINE_ENUM_VALUE(blacklist),
        SD_VARLINK_FIELD_COMMENT("Nothing speaks of it, and this is the default."),
        SD_VARLINK_DEFINE_ENUM_VALUE(default));

SD_VARLINK_DEFINE_ENUM_TYPE(
                PolicyMode,
                SD_VARLINK_FIELD_COMMENT("Rules are not looked at."),
                SD_VARLINK_DEFINE_ENUM_VALUE(off),
                SD_VARLINK_FIELD_COMMENT("Rules refuse nothing; what they would refuse is written down."),
                SD_VARLINK_DEFINE_ENUM_VALUE(audit),
                SD_VARLINK_FIELD_COMMENT("Rules hold."),
                SD_VARLINK_DEFINE_ENUM_VALUE(enforce));

SD_VARLINK_DEFINE_ENUM_TYPE(
                PolicyVerdict,
                SD_VARLINK_FIELD_COMMENT("It may be loaded."),
                SD_VARLINK_DEFINE_ENUM_VALUE(allow),
                SD_VARLINK_FIELD_COMMENT("It is not loaded, whoever asks for it and however."),
                SD_VARLINK_DEFINE_ENUM_VALUE(deny));

#define RULING_FIELDS                                                                                   \
        SD_VARLINK_FIELD_COMMENT("What of the policy decided."),                                        \
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(source, PolicySource, SD_VARLINK_NULLABLE),                     \
        SD_VARLINK_FIELD_COMMENT("File of the line that decided; absent: nothing was written anywhere."), \
        SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),                          \
        SD_VARLINK_FIELD_COMMENT("Its line number, from 1."),                                           \
        SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, SD_VARLINK_NULLABLE),                             \
        SD_VARLINK_FIELD_COMMENT("Its column, from 1."),                                                \
        SD_VARLINK_DEFINE_FIELD(column, SD_VARLINK_INT, SD_VARLINK_NULLABLE),                           \
        SD_VARLINK_FIELD_COMMENT("Name of the rule that decided."),                                     \
        SD_VARLINK_DEFINE_FIELD(rule, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),                          \
        SD_VARLINK_FIELD_COMMENT("Why it wants that, in one sentence."),                                \
        SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE)

SD_VARLINK_DEFINE_STRUCT_TYPE(Ruling, RULING_FIELDS);

SD_VARLINK_DEFINE_STRUCT_TYPE(
                PolicyGrant,
                SD_VARLINK_FIELD_COMMENT("Its name, for Revoke; it is that of its rule, too."),
                SD_VARLINK_DEFINE_FIELD(id, SD_VARLINK_STRING, 0),
                SD_VARLINK_FIELD_COMMENT("Module or glob that it is about, normalised."),
                SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
                SD_VARLINK_DEFINE_FIELD_BY_TYPE(verdict, PolicyVerdict, 0),
                SD_VARLINK_FIELD_COMMENT("Why it was given, as somebody wrote it."),
                SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, 0),
                SD_VARLINK_FIELD_COMMENT("Until when it holds, CLOCK_REALTIME in microseconds; absent: until the "
                                         "machine is rebooted, or until it is used up."),
                SD_VARLINK_DEFINE_FIELD(expiresUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("True: for one request; the first that it decides about uses it up."),
                SD_VARLINK_DEFINE_FIELD(once, SD_VARLINK_BOOL, 0),
                SD_VARLINK_FIELD_COMMENT("User ID of who gave it; absent: not known any more."),
                SD_VARLINK_DEFINE_FIELD(uid, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("When it was given, CLOCK_REALTIME in microseconds."),
                SD_VARLINK_DEFINE_FIELD(createdUSec, SD_VARLINK_INT, 0));

SD_VARLINK_DEFINE_STRUCT_TYPE(
                DeniedModule,
                SD_VARLINK_FIELD_COMMENT("Normalised name, with '_'."),
                SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
                RULING_FIELDS);

SD_VARLINK_DEFINE_ENUM_TYPE(
        PolicyStanding, SD_VARLINK_FIELD_COMMENT("It is what the files say."),
        SD_VARLINK_DEFINE_ENUM_VALUE(current),
        SD_VARLINK_FIELD_COMMENT("They are broken, and it is what they said before."),
        SD_VARLINK_DEFINE_ENUM_VALUE(old),
        SD_VARLINK_FIELD_COMMENT("They were broken when lkmd started, and it is what an earlier lkmd last read whole."),
        SD_VARLINK_DEFINE_ENUM_VALUE(last_good),
        SD_VARLINK_FIELD_COMMENT("Likewise, nothing was kept, and it is what those say that are not, without a default of deny."),
        SD_VARLINK_DEFINE_ENUM_VALUE(partial));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        Policy, SD_VARLINK_FIELD_COMMENT("Mode= of lkmd.conf: no rule has more force than this."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(mode, PolicyMode, 0),
        SD_VARLINK_FIELD_COMMENT("What becomes of a module that no rule speaks of."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(defaultVerdict, PolicyVerdict, 0),
        SD_VARLINK_FIELD_COMMENT("Rules in force, those of lists and grants included."),
        SD_VARLINK_DEFINE_FIELD(rules, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("The files that they are from, in the order in which they are asked."),
        SD_VARLINK_DEFINE_FIELD(files, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("True: some file is broken, and what is in force is something else, see standing."),
        SD_VARLINK_DEFINE_FIELD(broken, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("Where what is in force is from."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(standing, PolicyStanding, 0),
        SD_VARLINK_FIELD_COMMENT("True: the files say, or may say, \"default: deny\", which does not hold, because some file "
                                 "is broken and nothing is known of before."),
        SD_VARLINK_DEFINE_FIELD(lacksDefault, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("What is wrong with the files of the policy."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(problems, Problem, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("What is allowed or denied for a time, oldest first."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(grants, PolicyGrant, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("Modules that are in the kernel, and that nobody would get now who asked for them by "
                                 "name. lkmd never removes them by itself."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(loadedButDenied, DeniedModule, SD_VARLINK_ARRAY));

SD_VARLINK_DEFINE_ENUM_TYPE(
                AuditKind,
                SD_VARLINK_FIELD_COMMENT("It was left out of a request."),
                SD_VARLINK_DEFINE_ENUM_VALUE(refused),
                SD_VARLINK_FIELD_COMMENT("It would have been left out if what is in audit mode were enforced."),
                SD_VARLINK_DEFINE_ENUM_VALUE(would_refuse),
                SD_VARLINK_FIELD_COMMENT("It was allowed by a rule that wants that reported (verdict audit)."),
                SD_VARLINK_DEFINE_ENUM_VALUE(reported));

SD_VARLINK_DEFINE_STRUCT_TYPE(
                AuditEntry,
                SD_VARLINK_DEFINE_FIELD_BY_TYPE(kind, AuditKind, 0),
                SD_VARLINK_FIELD_COMMENT("Normalised name, with '_'."),
                SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
                RULING_FIELDS,
                SD_VARLINK_FIELD_COMMENT("Who asked."),
                SD_VARLINK_DEFINE_FIELD_BY_TYPE(origin, Origin, 0),
                SD_VARLINK_FIELD_COMMENT("What was asked for, as it was written: module name, alias or modalias."),
                SD_VARLINK_DEFINE_FIELD(key, SD_VARLINK_STRING, 0),
                SD_VARLINK_FIELD_COMMENT("Origin device: path of the device below /sys."),
                SD_VARLINK_DEFINE_FIELD(device, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("Origin client: user ID of the client."),
                SD_VARLINK_DEFINE_FIELD(uid, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("How often just this happened."),
                SD_VARLINK_DEFINE_FIELD(count, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("When it did for the first time, CLOCK_REALTIME in microseconds."),
                SD_VARLINK_DEFINE_FIELD(firstUSec, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("When it did for the last time, likewise."),
                SD_VARLINK_DEFINE_FIELD(lastUSec, SD_VARLINK_INT, 0));

/* -------------------------------------------------------------------------------------------- methods */

SD_VARLINK_DEFINE_METHOD(
        Grant, SD_VARLINK_FIELD_COMMENT("Module name or glob, '-' and '_' alike."),
        SD_VARLINK_DEFINE_INPUT(module, SD_VARLINK_STRING, 0),
        SD_VARLINK_DEFINE_INPUT_BY_TYPE(verdict, PolicyVerdict, 0),
        SD_VARLINK_FIELD_COMMENT("For so many microseconds. Not with once; without either it holds until the machine is "
                                 "rebooted."),
        SD_VARLINK_DEFINE_INPUT(forUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("True: for the next request only that it decides about."),
        SD_VARLINK_DEFINE_INPUT(once, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Why, in one sentence; whoever meets it is told."),
        SD_VARLINK_DEFINE_INPUT(reason, SD_VARLINK_STRING, 0),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(grant, PolicyGrant, 0));

SD_VARLINK_DEFINE_METHOD(
        Revoke, SD_VARLINK_FIELD_COMMENT("Name of a grant."),
        SD_VARLINK_DEFINE_INPUT(id, SD_VARLINK_STRING, 0));

SD_VARLINK_DEFINE_METHOD(
        Audit, SD_VARLINK_FIELD_COMMENT("By place of the rule, then by module."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(entries, AuditEntry, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("Entries that are no longer there since others came: the oldest go first."),
        SD_VARLINK_DEFINE_OUTPUT(dropped, SD_VARLINK_INT, 0));

/* --------------------------------------------------------------------------------------------- errors */

SD_VARLINK_DEFINE_ERROR(
                NoSuchGrant,
                SD_VARLINK_FIELD_COMMENT("What went wrong, in one sentence."),
                SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0),
                SD_VARLINK_FIELD_COMMENT("What to try next."),
                SD_VARLINK_DEFINE_FIELD(hint, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));
