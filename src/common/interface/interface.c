/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Interface: the varlink interface io.lkmd.Manager. The comments here are its reference documentation: "varlinkctl
 * introspect /run/lkmd/io.lkmd.Manager" prints them. The --json output of lkmctl has the same field names.
 */

#include "common/interface/interface.h"

#include "common/interface/interface-policy.h"
#include "common/interface/interface-status.h"
#include "common/interface/interface-unload.h"

/* ---------------------------------------------------------------------------------------------- types */

SD_VARLINK_DEFINE_ENUM_TYPE(
        Origin, SD_VARLINK_FIELD_COMMENT("A device that appeared, or existed already when lkmd started."),
        SD_VARLINK_DEFINE_ENUM_VALUE(device),
        SD_VARLINK_FIELD_COMMENT("The kernel, on behalf of a program."),
        SD_VARLINK_DEFINE_ENUM_VALUE(kernel),
        SD_VARLINK_FIELD_COMMENT("A varlink client, for instance lkmctl."),
        SD_VARLINK_DEFINE_ENUM_VALUE(client),
        SD_VARLINK_FIELD_COMMENT("A list of modules that are loaded at boot; also what was loaded before lkmd started."),
        SD_VARLINK_DEFINE_ENUM_VALUE(boot),
        SD_VARLINK_FIELD_COMMENT("A container, by the socket of the interface io.lkmd.Broker."),
        SD_VARLINK_DEFINE_ENUM_VALUE(container),
        SD_VARLINK_FIELD_COMMENT("Nobody asked lkmd: it was loaded or removed without it, for instance by insmod."),
        SD_VARLINK_DEFINE_ENUM_VALUE(foreign),
        SD_VARLINK_FIELD_COMMENT("The same, before lkmd started, by the initramfs."),
        SD_VARLINK_DEFINE_ENUM_VALUE(initramfs),
        SD_VARLINK_FIELD_COMMENT("A removal by lkmd itself: nobody used the module any more, see IdleUnloadSec= in lkmd.conf(5)."),
        SD_VARLINK_DEFINE_ENUM_VALUE(idle));

/* From uid on, whose comment comes before it. */
#define PROCESS_FIELDS                                                                                               \
        SD_VARLINK_DEFINE_FIELD(uid, SD_VARLINK_INT, SD_VARLINK_NULLABLE),                                           \
                SD_VARLINK_FIELD_COMMENT("Its process ID."),                                                         \
                SD_VARLINK_DEFINE_FIELD(pid, SD_VARLINK_INT, SD_VARLINK_NULLABLE),                                   \
                SD_VARLINK_FIELD_COMMENT(                                                            \
                        "User ID of who logged in, whoever the process has become since."),          \
                SD_VARLINK_DEFINE_FIELD(loginUid, SD_VARLINK_INT, SD_VARLINK_NULLABLE),                              \
                SD_VARLINK_FIELD_COMMENT("Its name, which a process may choose itself."),                            \
                SD_VARLINK_DEFINE_FIELD(command, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),                            \
                SD_VARLINK_FIELD_COMMENT("Path of its program."),                                                    \
                SD_VARLINK_DEFINE_FIELD(executable, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),                         \
                SD_VARLINK_FIELD_COMMENT("Its systemd unit."),                                                       \
                SD_VARLINK_DEFINE_FIELD(unit, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),                               \
                SD_VARLINK_FIELD_COMMENT("Its container: a part of the path of its control group."),                 \
                SD_VARLINK_DEFINE_FIELD(container, SD_VARLINK_STRING, SD_VARLINK_NULLABLE)

static SD_VARLINK_DEFINE_STRUCT_TYPE(
        Process, SD_VARLINK_FIELD_COMMENT("Its user ID, as it is outside of all containers."),
        PROCESS_FIELDS);

SD_VARLINK_DEFINE_STRUCT_TYPE(
        Requester, SD_VARLINK_FIELD_COMMENT("Who asked."), SD_VARLINK_DEFINE_FIELD_BY_TYPE(origin, Origin, 0),
        SD_VARLINK_FIELD_COMMENT("What was asked for, as it was given: module name, alias or modalias. "
                                 "Control characters and bytes that are not UTF-8 are shown as \\xNN."),
        SD_VARLINK_DEFINE_FIELD(key, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Origin device: path of the device below /sys."),
        SD_VARLINK_DEFINE_FIELD(device, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Origin device: its subsystem."),
        SD_VARLINK_DEFINE_FIELD(subsystem, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Origin device: the driver that is bound to it already."),
        SD_VARLINK_DEFINE_FIELD(driver, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "Origin boot: the list that has it, modules-load.d(5), or /proc/cmdline; absent: it is in none, and was "
                "there before lkmd started."),
        SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Its line number there, from 1; absent for the kernel command line."),
        SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("True: the kernel was told to skip some of its checks."),
        SD_VARLINK_DEFINE_FIELD(forced, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "User ID of the process that asks, as it is outside of all containers: of the client or, if lkmd learnt it, "
                "of the process in whose system call the kernel asks, or that loaded without lkmd. Absent together with pid: "
                "the process is not known."),
        PROCESS_FIELDS,
        SD_VARLINK_FIELD_COMMENT(
                "True: the kernel did not say which process it was; it was concluded from time and name."),
        SD_VARLINK_DEFINE_FIELD(inferred, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "For a request that came while a module was loaded for another request: the processes of that one, "
                "of the one which led to it, and so on."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(chain, Process, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_ENUM_TYPE(
        Reason, SD_VARLINK_FIELD_COMMENT("The request asks for it."),
        SD_VARLINK_DEFINE_ENUM_VALUE(requested),
        SD_VARLINK_FIELD_COMMENT("The parent needs it (modules.dep)."),
        SD_VARLINK_DEFINE_ENUM_VALUE(dependency),
        SD_VARLINK_FIELD_COMMENT("The parent wants it to be loaded before (softdep pre)."),
        SD_VARLINK_DEFINE_ENUM_VALUE(softdep_pre),
        SD_VARLINK_FIELD_COMMENT("The parent wants it to be loaded after (softdep post)."),
        SD_VARLINK_DEFINE_ENUM_VALUE(softdep_post));

static SD_VARLINK_DEFINE_ENUM_TYPE(
        Outcome, SD_VARLINK_FIELD_COMMENT("Loaded; its init function has returned."),
        SD_VARLINK_DEFINE_ENUM_VALUE(loaded), SD_VARLINK_FIELD_COMMENT("In the kernel already."),
        SD_VARLINK_DEFINE_ENUM_VALUE(already_loaded), SD_VARLINK_FIELD_COMMENT("Part of the kernel image."),
        SD_VARLINK_DEFINE_ENUM_VALUE(built_in),
        SD_VARLINK_FIELD_COMMENT("Its install or remove command was run instead, and succeeded."),
        SD_VARLINK_DEFINE_ENUM_VALUE(command_run), SD_VARLINK_FIELD_COMMENT("Removed from the kernel."),
        SD_VARLINK_DEFINE_ENUM_VALUE(unloaded),
        SD_VARLINK_FIELD_COMMENT("Failed; see errno, message and hint."),
        SD_VARLINK_DEFINE_ENUM_VALUE(failed),
        SD_VARLINK_FIELD_COMMENT("Its install command ended with an error, which keeps it out; see message."),
        SD_VARLINK_DEFINE_ENUM_VALUE(kept_out),
        SD_VARLINK_FIELD_COMMENT("Not tried, since a module that it needs failed."),
        SD_VARLINK_DEFINE_ENUM_VALUE(dependency_failed));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        Record,
        SD_VARLINK_FIELD_COMMENT("When it ended (in an event of kind started: when it began), "
                                 "CLOCK_REALTIME in microseconds."),
        SD_VARLINK_DEFINE_FIELD(timeUSec, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Normalised name, with '_', as the kernel has it."),
        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Its name in modules.dep and modprobe.d, which is that of its file; absent if it is the same."),
        SD_VARLINK_DEFINE_FIELD(fileModule, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The result. Absent while it is under way."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(outcome, Outcome, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The request that led to it."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(requester, Requester, 0),
        SD_VARLINK_FIELD_COMMENT("Why this module is part of the request. Absent for a removal."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(reason, Reason, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The module that it is loaded for; absent for requested modules."),
        SD_VARLINK_DEFINE_FIELD(parent, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "True: it was also requested by itself, while it was loaded for another module."),
        SD_VARLINK_DEFINE_FIELD(alsoRequested, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "The ruling that allowed it, if a rule or line did. For a load that several requests share, "
                "that of the first request."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(allowedBy, Ruling, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The parameters that it was loaded with."),
        SD_VARLINK_DEFINE_FIELD(parameters, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "When it was queued, CLOCK_MONOTONIC in microseconds: that of systemd-analyze, which does not run while the machine "
                "is suspended. Absent, as the next two, for what lkmd only saw, and if it is not known."),
        SD_VARLINK_DEFINE_FIELD(queuedUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("When it was passed on to be carried out, likewise."),
        SD_VARLINK_DEFINE_FIELD(beganUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("When its outcome was known, likewise; also for what lkmd only saw: when it saw that."),
        SD_VARLINK_DEFINE_FIELD(endedUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Time in the kernel, or of the command, in microseconds."),
        SD_VARLINK_DEFINE_FIELD(durationUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "Of that, the time until the module was usable, in microseconds; absent if the kernel did not report "
                "it in time. In the rest, it waited for the asynchronous probes of all drivers."),
        SD_VARLINK_DEFINE_FIELD(liveUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("True: it took longer than SlowLoadSec=."),
        SD_VARLINK_DEFINE_FIELD(slow, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "While it is under way and takes long: the thread of lkmd-loader that loads it, or the process of its "
                "command. Root can read /proc/THREAD/stack to see where it is in the kernel."),
        SD_VARLINK_DEFINE_FIELD(threadId, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "Likewise: the kernel functions that it is in, innermost first, as far as lkmd may see them; "
                "usually only the innermost one."),
        SD_VARLINK_DEFINE_FIELD(kernelStack, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Positive errno of a failure."),
        SD_VARLINK_DEFINE_FIELD(errno, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The failure, in one sentence."),
        SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What to try next."),
        SD_VARLINK_DEFINE_FIELD(hint, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_STRUCT_TYPE(HistoryEntry,
                                     SD_VARLINK_FIELD_COMMENT("Its number, which grows within a boot."),
                                     SD_VARLINK_DEFINE_FIELD(id, SD_VARLINK_INT, 0),
                                     SD_VARLINK_FIELD_COMMENT("The module has left the kernel since."),
                                     SD_VARLINK_DEFINE_FIELD(gone, SD_VARLINK_BOOL, 0),
                                     SD_VARLINK_DEFINE_FIELD_BY_TYPE(record, Record, 0));

static SD_VARLINK_DEFINE_ENUM_TYPE(
        OmissionKind, SD_VARLINK_FIELD_COMMENT("A blacklist line: it is not loaded by an alias."),
        SD_VARLINK_DEFINE_ENUM_VALUE(blacklisted),
        SD_VARLINK_FIELD_COMMENT("Denied by a rule of the policy, or by an install line whose command does nothing."),
        SD_VARLINK_DEFINE_ENUM_VALUE(denied),
        SD_VARLINK_FIELD_COMMENT("A rule prefers another candidate for the same request; harmless."),
        SD_VARLINK_DEFINE_ENUM_VALUE(not_preferred),
        SD_VARLINK_FIELD_COMMENT("The target of a softdep does not exist; harmless."),
        SD_VARLINK_DEFINE_ENUM_VALUE(softdep_missing),
        SD_VARLINK_FIELD_COMMENT("A softdep that is part of a cycle; its order is not kept."),
        SD_VARLINK_DEFINE_ENUM_VALUE(softdep_loop),
        SD_VARLINK_FIELD_COMMENT("The index names a file that does not exist."),
        SD_VARLINK_DEFINE_ENUM_VALUE(file_missing),
        SD_VARLINK_FIELD_COMMENT("lkmd-loader or the kernel would refuse its file, for the reason given."),
        SD_VARLINK_DEFINE_ENUM_VALUE(file_unusable),
        SD_VARLINK_FIELD_COMMENT("An alias names a module that does not exist."),
        SD_VARLINK_DEFINE_ENUM_VALUE(module_missing),
        SD_VARLINK_FIELD_COMMENT("A line \"alias NAME off\" turns off what was asked for."),
        SD_VARLINK_DEFINE_ENUM_VALUE(turned_off),
        SD_VARLINK_FIELD_COMMENT("It needs a module that was left out; the ruling is that of the latter."),
        SD_VARLINK_DEFINE_ENUM_VALUE(impossible));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
        Omission, SD_VARLINK_FIELD_COMMENT("Why it was left out."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(kind, OmissionKind, 0),
        SD_VARLINK_FIELD_COMMENT("Module, or the name that matches no module."),
        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Module that needs or wants it; absent: the request itself."),
        SD_VARLINK_DEFINE_FIELD(wantedBy, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The request cannot succeed without it."),
        SD_VARLINK_DEFINE_FIELD(required, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("File of the rule or line that decided."),
        SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Its line number, from 1."),
        SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Its column, from 1."),
        SD_VARLINK_DEFINE_FIELD(column, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What decided; absent: not the policy."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(source, PolicySource, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Name of the rule that decided."),
        SD_VARLINK_DEFINE_FIELD(rule, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Its reason, in one sentence."),
        SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

SD_VARLINK_DEFINE_STRUCT_TYPE(Problem, SD_VARLINK_FIELD_COMMENT("File that is broken or cannot be read."),
                              SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, 0),
                              SD_VARLINK_FIELD_COMMENT("Line, from 1; absent: the file as a whole."),
                              SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
                              SD_VARLINK_FIELD_COMMENT("Column, from 1; absent: the line as a whole."),
                              SD_VARLINK_DEFINE_FIELD(column, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
                              SD_VARLINK_FIELD_COMMENT("What is wrong with it."),
                              SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_ENUM_TYPE(
        ModuleState, SD_VARLINK_FIELD_COMMENT("In the kernel, and usable."),
        SD_VARLINK_DEFINE_ENUM_VALUE(live), SD_VARLINK_FIELD_COMMENT("Its init function is running."),
        SD_VARLINK_DEFINE_ENUM_VALUE(coming), SD_VARLINK_FIELD_COMMENT("Its exit function is running."),
        SD_VARLINK_DEFINE_ENUM_VALUE(going), SD_VARLINK_FIELD_COMMENT("Part of the kernel image."),
        SD_VARLINK_DEFINE_ENUM_VALUE(built_in), SD_VARLINK_FIELD_COMMENT("Queued in lkmd."),
        SD_VARLINK_DEFINE_ENUM_VALUE(queued), SD_VARLINK_FIELD_COMMENT("On disk only."),
        SD_VARLINK_DEFINE_ENUM_VALUE(not_loaded));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
        Module, SD_VARLINK_FIELD_COMMENT("Normalised name, with '_', as the kernel has it."),
        SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT(
                "Its name in modules.dep and modprobe.d, which is that of its file; absent if it is the same, or if no file is known."),
        SD_VARLINK_DEFINE_FIELD(fileModule, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(state, ModuleState, 0),
        SD_VARLINK_FIELD_COMMENT("Its file; absent for a built-in module, and if it is no longer on disk."),
        SD_VARLINK_DEFINE_FIELD(path, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Its memory in the kernel, in bytes."),
        SD_VARLINK_DEFINE_FIELD(sizeBytes, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Its reference count; absent if the kernel cannot unload modules."),
        SD_VARLINK_DEFINE_FIELD(refCount, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Loaded modules that use it."),
        SD_VARLINK_DEFINE_FIELD(holders, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "How lkmd loaded it. Absent: it was loaded before lkmd started, or by something else."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(loadedBy, Record, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_ENUM_TYPE(
        EventKind,
        SD_VARLINK_FIELD_COMMENT("A device needs a driver: requester, matches."),
        SD_VARLINK_DEFINE_ENUM_VALUE(device),
        SD_VARLINK_FIELD_COMMENT("A module was left out of a request: requester, omission."),
        SD_VARLINK_DEFINE_ENUM_VALUE(verdict),
        SD_VARLINK_FIELD_COMMENT("It would be if nothing were in audit mode: likewise."),
        SD_VARLINK_DEFINE_ENUM_VALUE(would_refuse),
        SD_VARLINK_FIELD_COMMENT("The gate refused what no verdict tells of: requester, message."),
        SD_VARLINK_DEFINE_ENUM_VALUE(gate_refused),
        SD_VARLINK_FIELD_COMMENT("A load or removal began: record."), SD_VARLINK_DEFINE_ENUM_VALUE(started),
        SD_VARLINK_FIELD_COMMENT("A load or removal ended: record."), SD_VARLINK_DEFINE_ENUM_VALUE(finished),
        SD_VARLINK_FIELD_COMMENT("A load takes long, and goes on: record, whose durationUSec is the "
                                 "time so far."),
        SD_VARLINK_DEFINE_ENUM_VALUE(slow),
        SD_VARLINK_FIELD_COMMENT("Events were lost, and /sys is walked again: message."),
        SD_VARLINK_DEFINE_ENUM_VALUE(rescan),
        SD_VARLINK_FIELD_COMMENT("A device keeps sending events, and is handled less often from now on: message."),
        SD_VARLINK_DEFINE_ENUM_VALUE(noisy),
        SD_VARLINK_FIELD_COMMENT("lkmd stepped back, so that udev loads drivers, or is in charge again: message."),
        SD_VARLINK_DEFINE_ENUM_VALUE(charge),
        SD_VARLINK_FIELD_COMMENT("A module was loaded without lkmd, though the policy denies it: message."),
        SD_VARLINK_DEFINE_ENUM_VALUE(foreign_denied),
        SD_VARLINK_FIELD_COMMENT("The configuration or the module index was read again: message."),
        SD_VARLINK_DEFINE_ENUM_VALUE(reloaded), SD_VARLINK_FIELD_COMMENT("A file is broken: problem."),
        SD_VARLINK_DEFINE_ENUM_VALUE(problem));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        Event, SD_VARLINK_DEFINE_FIELD_BY_TYPE(kind, EventKind, 0),
        SD_VARLINK_FIELD_COMMENT("CLOCK_REALTIME in microseconds."),
        SD_VARLINK_DEFINE_FIELD(timeUSec, SD_VARLINK_INT, 0),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(requester, Requester, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Modules that the key of the requester matches; may be empty."),
        SD_VARLINK_DEFINE_FIELD(matches, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(omission, Omission, SD_VARLINK_NULLABLE),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(record, Record, SD_VARLINK_NULLABLE),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(problem, Problem, SD_VARLINK_NULLABLE),
        SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

/* -------------------------------------------------------------------------------------------- methods */

static SD_VARLINK_DEFINE_METHOD_FULL(
        Load, SD_VARLINK_SUPPORTS_MORE, SD_VARLINK_FIELD_COMMENT("Module name or alias."),
        SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT(
                "Module parameters, NAME or NAME=VALUE each, for the requested modules only. Those of root have to be "
                "arguments of the calling process, or in JSON in one of them; others need a rule with parameters."),
        SD_VARLINK_DEFINE_INPUT(parameters, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "Load the modules even if they were built for another kernel (MODULE_INIT_IGNORE_VERMAGIC). Needs a "
                "kernel with CONFIG_MODULE_FORCE_LOAD."),
        SD_VARLINK_DEFINE_INPUT(forceVermagic, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Load the modules even if the versions of symbols differ (MODULE_INIT_IGNORE_MODVERSIONS)."),
        SD_VARLINK_DEFINE_INPUT(forceModversion, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "Load the module itself rather than run its install command, and without its softdeps, as modprobe -i does. "
                "What the policy or an install line denies stays denied."),
        SD_VARLINK_DEFINE_INPUT(ignoreInstall, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Blacklist lines also apply to a module that is requested by its name, as with modprobe -b."),
        SD_VARLINK_DEFINE_INPUT(blacklistNames, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "Pass parameters on that the module does not have, and ignore those for a module that is loaded, as modprobe does, "
                "whatever UnknownParameters= and LoadedParameters= say."),
        SD_VARLINK_DEFINE_INPUT(anyParameters, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "The module whose install or remove command makes this call, MODPROBE_MODULE in its environment. lkmd refuses "
                "what would have to wait for that command."),
        SD_VARLINK_DEFINE_INPUT(commandOf, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Only with 'more': a load or removal began or ended; the other fields are absent."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(progress, Event, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("All loads and removals, in the order in which they ended."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(records, Record, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The modules that were left out."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(omissions, Omission, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_ENUM_TYPE(
        LiveState, SD_VARLINK_FIELD_COMMENT("The kernel has the value that is configured, possibly written otherwise."),
        SD_VARLINK_DEFINE_ENUM_VALUE(same), SD_VARLINK_FIELD_COMMENT("The kernel has another value; reason says why."),
        SD_VARLINK_DEFINE_ENUM_VALUE(differs),
        SD_VARLINK_FIELD_COMMENT("The values are written in different ways, and the type of the parameter is not known."),
        SD_VARLINK_DEFINE_ENUM_VALUE(incomparable), SD_VARLINK_FIELD_COMMENT("The kernel shows it only to root."),
        SD_VARLINK_DEFINE_ENUM_VALUE(unreadable),
        SD_VARLINK_FIELD_COMMENT("The kernel does not show it, or the module does not have it."),
        SD_VARLINK_DEFINE_ENUM_VALUE(not_shown));

static SD_VARLINK_DEFINE_ENUM_TYPE(
        LiveReason, SD_VARLINK_FIELD_COMMENT("It was changed after the load."), SD_VARLINK_DEFINE_ENUM_VALUE(changed),
        SD_VARLINK_FIELD_COMMENT("The module was loaded before the file of the line was last written."),
        SD_VARLINK_DEFINE_ENUM_VALUE(loaded_before),
        SD_VARLINK_FIELD_COMMENT("lkmd loaded the module with another value, which the request or another line gave."),
        SD_VARLINK_DEFINE_ENUM_VALUE(loaded_otherwise),
        SD_VARLINK_FIELD_COMMENT("lkmd did not load the module: it was there before, or insmod or modprobe loaded it."),
        SD_VARLINK_DEFINE_ENUM_VALUE(loaded_elsewhere),
        SD_VARLINK_FIELD_COMMENT("The module is built in, so that only the kernel command line sets it."),
        SD_VARLINK_DEFINE_ENUM_VALUE(built_in));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
        LiveParameter, SD_VARLINK_FIELD_COMMENT("Name of the parameter, as configured."),
        SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("The assignment: NAME=VALUE, or NAME."),
        SD_VARLINK_DEFINE_FIELD(configured, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("File that has it; /proc/cmdline for the kernel command line."),
        SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Line in it, from 1; absent if there are no lines."),
        SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What /sys/module shows; absent if lkmd cannot read it."),
        SD_VARLINK_DEFINE_FIELD(value, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("How the two compare."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(state, LiveState, 0),
        SD_VARLINK_FIELD_COMMENT("Why they differ."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(reason, LiveReason, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(
        DescribeModule, SD_VARLINK_FIELD_COMMENT("Module name, '-' and '_' alike."),
        SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(module, Module, 0),
        SD_VARLINK_FIELD_COMMENT("Modules that it needs, in the order of loading."),
        SD_VARLINK_DEFINE_OUTPUT(dependencies, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("Parameters from the configuration, for the next load."),
        SD_VARLINK_DEFINE_OUTPUT(configuredParameters, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "If it is in the kernel: each of them, and those that modprobe.d has for a built-in module, beside the value there. "
                "Absent if none is configured."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(parameters, LiveParameter, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What would be left out if it were requested by name now."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(omissions, Omission, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("The blacklist line because of which it is not loaded for devices."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(blacklist, Omission, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What lkmd did with it, newest first, as far back as the history goes."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(history, Record, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
        List,
        SD_VARLINK_FIELD_COMMENT("Modules in the kernel now, newest first, as /proc/modules has them."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(modules, Module, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
        History, SD_VARLINK_FIELD_COMMENT("Only of this module; absent: of all."),
        SD_VARLINK_DEFINE_INPUT(module, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Only entries whose number is greater: next of the reply before. Absent: from the oldest on."),
        SD_VARLINK_DEFINE_INPUT(after, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Oldest first. Those under way have no outcome."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(entries, HistoryEntry, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("There may be more: the value of after for the next call. Absent: there are none."),
        SD_VARLINK_DEFINE_OUTPUT(next, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("False: older ones of this boot have been forgotten, see LedgerEntries= in lkmd.conf(5)."),
        SD_VARLINK_DEFINE_OUTPUT(complete, SD_VARLINK_BOOL, 0));

static SD_VARLINK_DEFINE_METHOD_FULL(
        Monitor, SD_VARLINK_REQUIRES_MORE,
        SD_VARLINK_FIELD_COMMENT("Absent in the first reply, which confirms the subscription."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(event, Event, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(
        Reload, SD_VARLINK_FIELD_COMMENT("Errors in the files that do not prevent their use."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(problems, Problem, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("As in the reply of Grant: devices that were refused something which is allowed now."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(devices, LookedAt, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
        Wait,
        SD_VARLINK_FIELD_COMMENT(
                "Until nothing is queued or running and all devices found so far have been handled."),
        SD_VARLINK_DEFINE_INPUT(idle, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "Until all that is listed to be loaded at boot has an outcome; what waits for its device has one. The error "
                "NotInCharge: lkmd leaves that to systemd."),
        SD_VARLINK_DEFINE_INPUT(lists, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Until this module is live, whoever loads it."),
        SD_VARLINK_DEFINE_INPUT(module, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Until this device has a driver: its path, with or without /sys, also "
                                 "through links. For a device of a class, such as a network interface, "
                                 "its parent device counts. A driver that is still being loaded does "
                                 "not."),
        SD_VARLINK_DEFINE_INPUT(device, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Microseconds until the error Timeout; absent: no limit."),
        SD_VARLINK_DEFINE_INPUT(timeoutUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE));

/* --------------------------------------------------------------------------------------------- errors */

#define MESSAGE_FIELDS                                                                                  \
        SD_VARLINK_FIELD_COMMENT("What went wrong, in one sentence."),                                  \
        SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0),                                         \
        SD_VARLINK_FIELD_COMMENT("What to try next."),                                                  \
        SD_VARLINK_DEFINE_FIELD(hint, SD_VARLINK_STRING, SD_VARLINK_NULLABLE)

static SD_VARLINK_DEFINE_ERROR(NoSuchModule, MESSAGE_FIELDS);
static SD_VARLINK_DEFINE_ERROR(NoSuchDevice, MESSAGE_FIELDS);

static SD_VARLINK_DEFINE_ERROR(
        Denied, MESSAGE_FIELDS,
        SD_VARLINK_FIELD_COMMENT("The module that is denied: the requested one or one that it needs."),
        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("File of the rule or line that denies it."),
        SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Its line number, from 1."),
        SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What denies it."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(source, PolicySource, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Name of the rule that denies it."),
        SD_VARLINK_DEFINE_FIELD(rule, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Its reason, in one sentence."),
        SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

#define NOT_PROVEN_FIELD                                                                                        \
        SD_VARLINK_FIELD_COMMENT(                                                                        \
                "True: refused, since lkmd-loader did not find parameters or force among the "           \
                "arguments of root's process that asked. Typed on that machine itself they are there."), \
                SD_VARLINK_DEFINE_FIELD(notProven, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE)

static SD_VARLINK_DEFINE_ERROR(
        LoadFailed, MESSAGE_FIELDS,
        SD_VARLINK_FIELD_COMMENT("The module that failed: the requested one or one that it needs."),
        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0), SD_VARLINK_FIELD_COMMENT("Positive errno."),
        SD_VARLINK_DEFINE_FIELD(errno, SD_VARLINK_INT, 0), NOT_PROVEN_FIELD,
        SD_VARLINK_FIELD_COMMENT("Lines that the kernel logged about it."),
        SD_VARLINK_DEFINE_FIELD(kernelLog, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("All loads, in the order in which they ended."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(records, Record, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_ERROR(UnloadFailed, MESSAGE_FIELDS,
                               SD_VARLINK_FIELD_COMMENT("The module that could not be removed."),
                               SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
                               SD_VARLINK_FIELD_COMMENT("Positive errno."),
                               SD_VARLINK_DEFINE_FIELD(errno, SD_VARLINK_INT, 0), NOT_PROVEN_FIELD);

static SD_VARLINK_DEFINE_ERROR(NotLoaded, MESSAGE_FIELDS);
static SD_VARLINK_DEFINE_ERROR(BuiltIn, MESSAGE_FIELDS);

static SD_VARLINK_DEFINE_ERROR(
                InUse,
                MESSAGE_FIELDS,
                SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
                SD_VARLINK_FIELD_COMMENT("Loaded modules that use it."),
                SD_VARLINK_DEFINE_FIELD(holders, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
                SD_VARLINK_DEFINE_FIELD(refCount, SD_VARLINK_INT, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_ERROR(UnknownParameter, MESSAGE_FIELDS,
                               SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
                               SD_VARLINK_FIELD_COMMENT("The name that the module does not have."),
                               SD_VARLINK_DEFINE_FIELD(parameter, SD_VARLINK_STRING, 0),
                               SD_VARLINK_FIELD_COMMENT("The names that it has."),
                               SD_VARLINK_DEFINE_FIELD(known, SD_VARLINK_STRING, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_ERROR(Timeout, MESSAGE_FIELDS);
static SD_VARLINK_DEFINE_ERROR(NotInCharge, MESSAGE_FIELDS);

static SD_VARLINK_DEFINE_ERROR(ReloadFailed, MESSAGE_FIELDS,
                               SD_VARLINK_FIELD_COMMENT("The errors; the old configuration stays in force."),
                               SD_VARLINK_DEFINE_FIELD_BY_TYPE(problems, Problem, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_ERROR(TooManyClients, MESSAGE_FIELDS);
static SD_VARLINK_DEFINE_ERROR(MessageTooLarge, MESSAGE_FIELDS);

SD_VARLINK_DEFINE_INTERFACE(
        io_lkmd_Manager, "io.lkmd.Manager",
        SD_VARLINK_INTERFACE_COMMENT(
                "Decides which modules enter the kernel, and says why. Everybody may read; "
                "Load, Unload, Sweep, Reload, Grant, Revoke and ClearAudit are for root and members of the group lkmd-admin."),
        SD_VARLINK_SYMBOL_COMMENT("Where a request comes from."), &vl_type_Origin,
        SD_VARLINK_SYMBOL_COMMENT("A process that asked, as far as it is known."), &vl_type_Process,
        SD_VARLINK_SYMBOL_COMMENT("Who asked, and for what."), &vl_type_Requester,
        SD_VARLINK_SYMBOL_COMMENT("Why a module is part of a request."), &vl_type_Reason,
        SD_VARLINK_SYMBOL_COMMENT("The result of a load or removal."), &vl_type_Outcome,
        SD_VARLINK_SYMBOL_COMMENT("One load or removal of a module, with its requester."), &vl_type_Record,
        SD_VARLINK_SYMBOL_COMMENT("A record of this boot."), &vl_type_HistoryEntry,
        SD_VARLINK_SYMBOL_COMMENT("Why a module was left out of a request."), &vl_type_OmissionKind,
        SD_VARLINK_SYMBOL_COMMENT("What can decide about a module, in the order of precedence."),
        &vl_type_PolicySource,
        SD_VARLINK_SYMBOL_COMMENT("Where the policy in force is from."), &vl_type_PolicyStanding,
        SD_VARLINK_SYMBOL_COMMENT("Whether the policy is enforced."), &vl_type_PolicyMode,
        SD_VARLINK_SYMBOL_COMMENT("The verdict of a rule."), &vl_type_PolicyVerdict,
        SD_VARLINK_SYMBOL_COMMENT("Which rule or line decided, and its place."), &vl_type_Ruling,
        SD_VARLINK_SYMBOL_COMMENT("An exception from the policy for a time."), &vl_type_PolicyGrant,
        SD_VARLINK_SYMBOL_COMMENT("A device that was looked at again, since what refused it a module has gone."), &vl_type_LookedAt,
        SD_VARLINK_SYMBOL_COMMENT("A device that keeps a driver which is denied now."), &vl_type_KeepingDevice,
        SD_VARLINK_SYMBOL_COMMENT("A module that the policy denies, and the ruling."), &vl_type_DeniedModule,
        SD_VARLINK_SYMBOL_COMMENT("The policy in force."), &vl_type_Policy,
        SD_VARLINK_SYMBOL_COMMENT("What the policy did about a module."), &vl_type_AuditKind,
        SD_VARLINK_SYMBOL_COMMENT("What the policy did, and how often."), &vl_type_AuditEntry,
        SD_VARLINK_SYMBOL_COMMENT("A module that was left out of a request."), &vl_type_Omission,
        SD_VARLINK_SYMBOL_COMMENT("Why a module goes with a removal."), &vl_type_UnloadReason,
        SD_VARLINK_SYMBOL_COMMENT("A module that goes."), &vl_type_UnloadStep,
        SD_VARLINK_SYMBOL_COMMENT("Why a module stays, although what it was loaded for goes."), &vl_type_UnloadStayKind,
        SD_VARLINK_SYMBOL_COMMENT("A module that stays."), &vl_type_UnloadStay,
        SD_VARLINK_SYMBOL_COMMENT("What a machine cannot go on without."), &vl_type_NeedKind,
        SD_VARLINK_SYMBOL_COMMENT("Something that this machine needs, and a module that it depends on."), &vl_type_Need,
        SD_VARLINK_SYMBOL_COMMENT("An error in a file that lkmd reads."), &vl_type_Problem,
        SD_VARLINK_SYMBOL_COMMENT("The state of a module."), &vl_type_ModuleState,
        SD_VARLINK_SYMBOL_COMMENT("A module and its state."), &vl_type_Module,
        SD_VARLINK_SYMBOL_COMMENT("How a configured parameter compares with that of a module in the kernel."), &vl_type_LiveState,
        SD_VARLINK_SYMBOL_COMMENT("Why a parameter has another value than the configuration."), &vl_type_LiveReason,
        SD_VARLINK_SYMBOL_COMMENT("A configured parameter of a module that is in the kernel."), &vl_type_LiveParameter,
        SD_VARLINK_SYMBOL_COMMENT("What is listed to be loaded at boot and waits for its device."), &vl_type_WaitingModule,
        SD_VARLINK_SYMBOL_COMMENT("What the gate refuses inside the kernel."), &vl_type_GateMode,
        SD_VARLINK_SYMBOL_COMMENT("Who loads drivers for devices."), &vl_type_Authority,
        SD_VARLINK_SYMBOL_COMMENT("A rule of udev's because of which drivers are loaded after udev has handled a device."),
        &vl_type_UdevRule,
        SD_VARLINK_SYMBOL_COMMENT("How often things happened, since lkmd started."), &vl_type_Counters,
        SD_VARLINK_SYMBOL_COMMENT("A part of the way from an event to a loaded module."), &vl_type_Phase,
        SD_VARLINK_SYMBOL_COMMENT("How many took no longer than a certain time."), &vl_type_PhaseBucket,
        SD_VARLINK_SYMBOL_COMMENT("How long a phase took, since lkmd started."), &vl_type_PhaseTimes,
        SD_VARLINK_SYMBOL_COMMENT("The kind of an event."), &vl_type_EventKind,
        SD_VARLINK_SYMBOL_COMMENT("Something that happened; the kind determines which fields it has."),
        &vl_type_Event,
        SD_VARLINK_SYMBOL_COMMENT(
                "Loads a module, or all modules that an alias matches, with their dependencies. Replies "
                "when the outcome is known."),
        &vl_method_Load,
        SD_VARLINK_SYMBOL_COMMENT("Removes a module, and the dependencies that lkmd loaded for it and nothing else uses."),
        &vl_method_Unload,
        SD_VARLINK_SYMBOL_COMMENT(
                "Removes the modules that lkmd loaded on demand and that are not used now, whatever IdleUnloadSec= says, and what only "
                "they needed. What this machine needs stays."),
        &vl_method_Sweep, SD_VARLINK_SYMBOL_COMMENT("The state of lkmd."), &vl_method_Status,
        SD_VARLINK_SYMBOL_COMMENT("Everything that is known about one module."), &vl_method_DescribeModule,
        SD_VARLINK_SYMBOL_COMMENT("The modules in the kernel."), &vl_method_List,
        SD_VARLINK_SYMBOL_COMMENT("What was done to modules in this boot, some hundred entries at a time."), &vl_method_History,
        SD_VARLINK_SYMBOL_COMMENT(
                "Reports events from now on. The first reply is empty and confirms the subscription."),
        &vl_method_Monitor,
        SD_VARLINK_SYMBOL_COMMENT("Reads lkmd.conf, the policy, modprobe.d and the module index again."),
        &vl_method_Reload,
        SD_VARLINK_SYMBOL_COMMENT(
                "Replies when the conditions hold. At least one of idle, module and device "
                "is needed; several have to hold at once."),
        &vl_method_Wait,
        SD_VARLINK_SYMBOL_COMMENT("Allows or denies a module for a time, with precedence over all rules of policy.d."),
        &vl_method_Grant, SD_VARLINK_SYMBOL_COMMENT("Ends a grant."), &vl_method_Revoke,
        SD_VARLINK_SYMBOL_COMMENT("What the policy refused, would have refused or reported, in this boot and in earlier ones."),
        &vl_method_Audit, SD_VARLINK_SYMBOL_COMMENT("Forgets what Audit has, of this boot and of earlier ones."),
        &vl_method_ClearAudit, SD_VARLINK_SYMBOL_COMMENT("No module and no alias matches."),
        &vl_error_NoSuchModule, SD_VARLINK_SYMBOL_COMMENT("There is no such grant, or it has ended."),
        &vl_error_NoSuchGrant,
        SD_VARLINK_SYMBOL_COMMENT("There is no such device, or it disappeared during Wait."),
        &vl_error_NoSuchDevice, SD_VARLINK_SYMBOL_COMMENT("The configuration denies it."), &vl_error_Denied,
        SD_VARLINK_SYMBOL_COMMENT("The kernel refused the module or one that it needs."),
        &vl_error_LoadFailed, SD_VARLINK_SYMBOL_COMMENT("The kernel refused to remove the module."),
        &vl_error_UnloadFailed, SD_VARLINK_SYMBOL_COMMENT("The module is not in the kernel."), &vl_error_NotLoaded,
        SD_VARLINK_SYMBOL_COMMENT("The module is part of the kernel image and cannot be removed."),
        &vl_error_BuiltIn, SD_VARLINK_SYMBOL_COMMENT("The module is in use."), &vl_error_InUse,
        SD_VARLINK_SYMBOL_COMMENT("This machine, or the login of the caller, needs a module that would go."), &vl_error_Needed,
        SD_VARLINK_SYMBOL_COMMENT("The module has no such parameter."), &vl_error_UnknownParameter,
        SD_VARLINK_SYMBOL_COMMENT("The timeout has expired."), &vl_error_Timeout,
        SD_VARLINK_SYMBOL_COMMENT("lkmd leaves to others what is asked about."), &vl_error_NotInCharge,
        SD_VARLINK_SYMBOL_COMMENT("A file is broken; nothing was changed."), &vl_error_ReloadFailed,
        SD_VARLINK_SYMBOL_COMMENT(
                "There is no room for another connection; lkmd closes it after this error, which may come "
                "before the call. A user may have 16 connections, each with one call at a time; root and "
                "the group lkmd-admin may have more, for which room is reserved. lkmd closes an unprivileged "
                "connection that makes no call for five minutes, or earlier if room is short."),
        &vl_error_TooManyClients,
        SD_VARLINK_SYMBOL_COMMENT(
                "The call has more than 64 KiB, or is nested deeper than 16 arrays and objects. It is not handled, and lkmd closes the connection."),
        &vl_error_MessageTooLarge);
