/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The varlink interface io.lkmd.Manager. The comments here are its reference documentation: "varlinkctl
 * introspect /run/lkmd/io.lkmd.Manager" prints them. Field names are also those of every --json output of
 * lkmctl.
 */

#include "common/interface/interface.h"

#include "common/interface/interface-policy.h"

/* ---------------------------------------------------------------------------------------------- types */

SD_VARLINK_DEFINE_ENUM_TYPE(
                Origin,
                SD_VARLINK_FIELD_COMMENT("A device appeared, or was there already when lkmd started."),
                SD_VARLINK_DEFINE_ENUM_VALUE(device),
                SD_VARLINK_FIELD_COMMENT("The kernel asked for it on behalf of a program."),
                SD_VARLINK_DEFINE_ENUM_VALUE(kernel),
                SD_VARLINK_FIELD_COMMENT("A varlink client asked, lkmctl for one."),
                SD_VARLINK_DEFINE_ENUM_VALUE(client),
                SD_VARLINK_FIELD_COMMENT("A list of modules to load at boot."),
                SD_VARLINK_DEFINE_ENUM_VALUE(boot));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
        Requester, SD_VARLINK_FIELD_COMMENT("Who asked."), SD_VARLINK_DEFINE_FIELD_BY_TYPE(origin, Origin, 0),
        SD_VARLINK_FIELD_COMMENT("What was asked for, as it was written: module name, alias or modalias. "
                                 "Control characters and bytes that are no UTF-8 are shown as \\xNN."),
        SD_VARLINK_DEFINE_FIELD(key, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Origin device: path of the device below /sys."),
        SD_VARLINK_DEFINE_FIELD(device, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Origin device: its subsystem."),
        SD_VARLINK_DEFINE_FIELD(subsystem, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Origin device: the driver that it has already."),
        SD_VARLINK_DEFINE_FIELD(driver, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("True: the kernel was told to go without some of its checks."),
        SD_VARLINK_DEFINE_FIELD(forced, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Origin client: user ID of the client."),
        SD_VARLINK_DEFINE_FIELD(uid, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Origin client: process ID of the client."),
        SD_VARLINK_DEFINE_FIELD(pid, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Origin client: command name of that process, if it could still be read."),
        SD_VARLINK_DEFINE_FIELD(command, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Origin client: systemd's unit that it belongs to, if it does to one."),
        SD_VARLINK_DEFINE_FIELD(unit, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_ENUM_TYPE(
                Reason,
                SD_VARLINK_FIELD_COMMENT("It is what the request means."),
                SD_VARLINK_DEFINE_ENUM_VALUE(requested),
                SD_VARLINK_FIELD_COMMENT("The parent cannot work without it (modules.dep)."),
                SD_VARLINK_DEFINE_ENUM_VALUE(dependency),
                SD_VARLINK_FIELD_COMMENT("The parent wants it loaded first (softdep pre)."),
                SD_VARLINK_DEFINE_ENUM_VALUE(softdep_pre),
                SD_VARLINK_FIELD_COMMENT("The parent wants it loaded afterwards (softdep post)."),
                SD_VARLINK_DEFINE_ENUM_VALUE(softdep_post));

static SD_VARLINK_DEFINE_ENUM_TYPE(
                Outcome,
                SD_VARLINK_FIELD_COMMENT("Loaded now; its init has returned."),
                SD_VARLINK_DEFINE_ENUM_VALUE(loaded),
                SD_VARLINK_FIELD_COMMENT("Was in the kernel already."),
                SD_VARLINK_DEFINE_ENUM_VALUE(already_loaded),
                SD_VARLINK_FIELD_COMMENT("Part of the kernel image."),
                SD_VARLINK_DEFINE_ENUM_VALUE(built_in),
                SD_VARLINK_FIELD_COMMENT("Its install or remove command was run instead, successfully."),
                SD_VARLINK_DEFINE_ENUM_VALUE(command_run),
                SD_VARLINK_FIELD_COMMENT("Removed from the kernel."),
                SD_VARLINK_DEFINE_ENUM_VALUE(unloaded),
                SD_VARLINK_FIELD_COMMENT("Tried and failed; see errno, message and hint."),
                SD_VARLINK_DEFINE_ENUM_VALUE(failed),
                SD_VARLINK_FIELD_COMMENT("Not tried, since something it needs failed."),
                SD_VARLINK_DEFINE_ENUM_VALUE(dependency_failed));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
        Record,
        SD_VARLINK_FIELD_COMMENT("When it was over (for an event of kind started: when it began), "
                                 "CLOCK_REALTIME in microseconds."),
        SD_VARLINK_DEFINE_FIELD(timeUSec, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Normalised name, with '_'."),
        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("What became of it. Absent while it is under way."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(outcome, Outcome, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The request that led to it."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(requester, Requester, 0),
        SD_VARLINK_FIELD_COMMENT("Why this module is part of the request. Absent for a removal."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(reason, Reason, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "The module for whose sake it is there; absent for what was requested itself."),
        SD_VARLINK_DEFINE_FIELD(parent, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "True: while it was under way for another's sake, somebody asked for it by itself."),
        SD_VARLINK_DEFINE_FIELD(alsoRequested, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What the policy allowed it by, if that was written anywhere. Of a load that several "
                                 "requests share, by which the first one was allowed."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(allowedBy, Ruling, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The parameters it was given."),
        SD_VARLINK_DEFINE_FIELD(parameters, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Time inside the kernel (or the command), microseconds."),
        SD_VARLINK_DEFINE_FIELD(durationUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Of that, the time until the module could be used, microseconds; absent where the kernel did "
                                 "not tell in time. In the rest it waited for the asynchronous probes of all drivers."),
        SD_VARLINK_DEFINE_FIELD(liveUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("While it is under way and takes long: the thread of lkmd-loader that is at it. For root, "
                                 "/proc/THREAD/stack has where it is in the kernel."),
        SD_VARLINK_DEFINE_FIELD(threadId, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The same: functions of the kernel that it is in, innermost first, as far as lkmd may see "
                                 "them; mostly that is the innermost one."),
        SD_VARLINK_DEFINE_FIELD(kernelStack, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Positive errno of a failure."),
        SD_VARLINK_DEFINE_FIELD(errno, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("A failure in one sentence."),
        SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What to try next."),
        SD_VARLINK_DEFINE_FIELD(hint, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_ENUM_TYPE(
        OmissionKind, SD_VARLINK_FIELD_COMMENT("A blacklist line keeps it from being loaded by alias."),
        SD_VARLINK_DEFINE_ENUM_VALUE(blacklisted),
        SD_VARLINK_FIELD_COMMENT("A rule of the policy denies it, or an install line of /bin/false or /bin/true."),
        SD_VARLINK_DEFINE_ENUM_VALUE(denied),
        SD_VARLINK_FIELD_COMMENT("A rule prefers another candidate for the same request; harmless."),
        SD_VARLINK_DEFINE_ENUM_VALUE(not_preferred),
        SD_VARLINK_FIELD_COMMENT("A softdep that names nothing; harmless."),
        SD_VARLINK_DEFINE_ENUM_VALUE(softdep_missing),
        SD_VARLINK_FIELD_COMMENT(
                "A softdep that leads back to where it came from; the order that it asks for is not kept."),
        SD_VARLINK_DEFINE_ENUM_VALUE(softdep_loop),
        SD_VARLINK_FIELD_COMMENT("The index names a file that is not there."),
        SD_VARLINK_DEFINE_ENUM_VALUE(file_missing),
        SD_VARLINK_FIELD_COMMENT("An alias leads to a module that does not exist."),
        SD_VARLINK_DEFINE_ENUM_VALUE(module_missing),
        SD_VARLINK_FIELD_COMMENT(
                "It needs a module that was left out itself; the line that keeps that one out is named."),
        SD_VARLINK_DEFINE_ENUM_VALUE(impossible));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
                Omission,
                SD_VARLINK_FIELD_COMMENT("Why it was left out."),
                SD_VARLINK_DEFINE_FIELD_BY_TYPE(kind, OmissionKind, 0),
                SD_VARLINK_FIELD_COMMENT("Module, or the name that means nothing."),
                SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
                SD_VARLINK_FIELD_COMMENT("Module that wanted it; absent: the request itself."),
                SD_VARLINK_DEFINE_FIELD(wantedBy, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("The request cannot succeed without it."),
                SD_VARLINK_DEFINE_FIELD(required, SD_VARLINK_BOOL, 0),
                SD_VARLINK_FIELD_COMMENT("File of the line that decided."),
                SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("Its line number, from 1."),
                SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("Its column, from 1."),
                SD_VARLINK_DEFINE_FIELD(column, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("What of the policy decided; absent: it was not asked."),
                SD_VARLINK_DEFINE_FIELD_BY_TYPE(source, PolicySource, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("Name of the rule that decided."),
                SD_VARLINK_DEFINE_FIELD(rule, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("Why it wants that, in one sentence."),
                SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

SD_VARLINK_DEFINE_STRUCT_TYPE(
                Problem,
                SD_VARLINK_FIELD_COMMENT("File that is broken or unreadable."),
                SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, 0),
                SD_VARLINK_FIELD_COMMENT("Line, from 1; absent: the file as a whole."),
                SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("Column, from 1; absent: the line as a whole."),
                SD_VARLINK_DEFINE_FIELD(column, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
                SD_VARLINK_FIELD_COMMENT("What is wrong with it."),
                SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_ENUM_TYPE(
                ModuleState,
                SD_VARLINK_FIELD_COMMENT("In the kernel, ready for use."),
                SD_VARLINK_DEFINE_ENUM_VALUE(live),
                SD_VARLINK_FIELD_COMMENT("Its init is running."),
                SD_VARLINK_DEFINE_ENUM_VALUE(coming),
                SD_VARLINK_FIELD_COMMENT("Its exit is running."),
                SD_VARLINK_DEFINE_ENUM_VALUE(going),
                SD_VARLINK_FIELD_COMMENT("Part of the kernel image."),
                SD_VARLINK_DEFINE_ENUM_VALUE(built_in),
                SD_VARLINK_FIELD_COMMENT("Waiting for its turn in lkmd."),
                SD_VARLINK_DEFINE_ENUM_VALUE(queued),
                SD_VARLINK_FIELD_COMMENT("On disk only."),
                SD_VARLINK_DEFINE_ENUM_VALUE(not_loaded));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
        Module, SD_VARLINK_FIELD_COMMENT("Normalised name, with '_'."),
        SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(state, ModuleState, 0),
        SD_VARLINK_FIELD_COMMENT(
                "Its file; absent for a built-in module and one that is no longer on disk."),
        SD_VARLINK_DEFINE_FIELD(path, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Memory it takes in the kernel, bytes."),
        SD_VARLINK_DEFINE_FIELD(sizeBytes, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("How often it is in use; absent where the kernel cannot unload."),
        SD_VARLINK_DEFINE_FIELD(refCount, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Loaded modules that use it."),
        SD_VARLINK_DEFINE_FIELD(holders, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "How it got into the kernel through lkmd. Absent: before lkmd started, or behind its back."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(loadedBy, Record, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_ENUM_TYPE(
        Authority,
        SD_VARLINK_FIELD_COMMENT("lkmd loads drivers for devices; udev's own rule for that is out of force."),
        SD_VARLINK_DEFINE_ENUM_VALUE(lkmd),
        SD_VARLINK_FIELD_COMMENT("udev's rule is in force as well, so that both load."),
        SD_VARLINK_DEFINE_ENUM_VALUE(lkmd_and_udev),
        SD_VARLINK_FIELD_COMMENT("lkmd cannot load anything and has stepped back; udev's rule is in force."),
        SD_VARLINK_DEFINE_ENUM_VALUE(udev));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
                Counters,
                SD_VARLINK_FIELD_COMMENT("Uevents of the kernel, whatever they were about."),
                SD_VARLINK_DEFINE_FIELD(events, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Repeated events of one device that were looked at as one."),
                SD_VARLINK_DEFINE_FIELD(coalesced, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Times that events were lost: the kernel said so, or their "
                                         "numbers had a gap."),
                SD_VARLINK_DEFINE_FIELD(lost, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Events held back, of devices that come and go for ever."),
                SD_VARLINK_DEFINE_FIELD(backedOff, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Times that /sys was walked again after the first: events were "
                                         "lost, or the module index had become complete."),
                SD_VARLINK_DEFINE_FIELD(rescans, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Devices looked at in walks over /sys."),
                SD_VARLINK_DEFINE_FIELD(coldplugDevices, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Look-ups in the module index, for devices and for requests of "
                                         "clients."),
                SD_VARLINK_DEFINE_FIELD(lookups, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Requests: calls of Load and Unload, and keys of devices for "
                                         "which there was something to load."),
                SD_VARLINK_DEFINE_FIELD(requests, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Modules loaded, and install commands run in their place."),
                SD_VARLINK_DEFINE_FIELD(loads, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Modules removed, and remove commands run in their place."),
                SD_VARLINK_DEFINE_FIELD(unloads, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Requests for a module that joined a load or removal under way."),
                SD_VARLINK_DEFINE_FIELD(joins, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Loads and removals that failed."),
                SD_VARLINK_DEFINE_FIELD(failures, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Loads and removals that took longer than SlowLoadSec=, those "
                                         "that are still under way included."),
                SD_VARLINK_DEFINE_FIELD(slow, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("The most modules that waited for their turn at once."),
                SD_VARLINK_DEFINE_FIELD(queueHighWater, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Modules that were left out of requests because the policy, a blacklist or an "
                                         "install line denies them or what they need, each time."),
                SD_VARLINK_DEFINE_FIELD(denied, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("Modules that would have been if what is in audit mode were enforced."),
                SD_VARLINK_DEFINE_FIELD(wouldDeny, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_ENUM_TYPE(
                Phase,
                SD_VARLINK_FIELD_COMMENT("A uevent, from its arrival until it was looked at."),
                SD_VARLINK_DEFINE_ENUM_VALUE(event),
                SD_VARLINK_FIELD_COMMENT("A request to load something: finding out what it means and what "
                                         "that comes to. Without those that mean nothing."),
                SD_VARLINK_DEFINE_ENUM_VALUE(plan),
                SD_VARLINK_FIELD_COMMENT("A module that waited for its turn, until it was handed to "
                                         "lkmd-loader."),
                SD_VARLINK_DEFINE_ENUM_VALUE(queue),
                SD_VARLINK_FIELD_COMMENT("A load that succeeded: the time inside the kernel, or of the "
                                         "install command."),
                SD_VARLINK_DEFINE_ENUM_VALUE(load),
                SD_VARLINK_FIELD_COMMENT("A removal that succeeded: the time inside the kernel, or of the "
                                         "remove command."),
                SD_VARLINK_DEFINE_ENUM_VALUE(unload));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
                PhaseBucket,
                SD_VARLINK_FIELD_COMMENT("A time, in microseconds."),
                SD_VARLINK_DEFINE_FIELD(leUSec, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("How many took that long or less."),
                SD_VARLINK_DEFINE_FIELD(count, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
                PhaseTimes,
                SD_VARLINK_DEFINE_FIELD_BY_TYPE(phase, Phase, 0),
                SD_VARLINK_FIELD_COMMENT("How many went through it, however long they took."),
                SD_VARLINK_DEFINE_FIELD(count, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("The time that all of them took together, microseconds."),
                SD_VARLINK_DEFINE_FIELD(sumUSec, SD_VARLINK_INT, 0),
                SD_VARLINK_FIELD_COMMENT("By time, from the shortest to the longest; each counts what the "
                                         "one before it does as well."),
                SD_VARLINK_DEFINE_FIELD_BY_TYPE(buckets, PhaseBucket, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_ENUM_TYPE(
        EventKind,
        SD_VARLINK_FIELD_COMMENT("The kernel announced a device that asks for a driver: requester, matches."),
        SD_VARLINK_DEFINE_ENUM_VALUE(device),
        SD_VARLINK_FIELD_COMMENT("Something was left out of a request: requester, omission."),
        SD_VARLINK_DEFINE_ENUM_VALUE(verdict), SD_VARLINK_FIELD_COMMENT("A load or removal began: record."),
        SD_VARLINK_DEFINE_ENUM_VALUE(started),
        SD_VARLINK_FIELD_COMMENT("A load or removal is over: record."),
        SD_VARLINK_DEFINE_ENUM_VALUE(finished),
        SD_VARLINK_FIELD_COMMENT("A load takes long; nothing is done about it: record, whose durationUSec "
                                 "is the time so far."),
        SD_VARLINK_DEFINE_ENUM_VALUE(slow),
        SD_VARLINK_FIELD_COMMENT("Events were lost, /sys is walked again: message."),
        SD_VARLINK_DEFINE_ENUM_VALUE(rescan),
        SD_VARLINK_FIELD_COMMENT("A device announces itself without an end, and is looked at less often from "
                                 "now on: message."),
        SD_VARLINK_DEFINE_ENUM_VALUE(noisy),
        SD_VARLINK_FIELD_COMMENT("lkmd has stepped back, so that udev loads drivers, or is in charge again: message."),
        SD_VARLINK_DEFINE_ENUM_VALUE(charge),
        SD_VARLINK_FIELD_COMMENT("The configuration or the module index was read anew: message."),
        SD_VARLINK_DEFINE_ENUM_VALUE(reloaded), SD_VARLINK_FIELD_COMMENT("A file is broken: problem."),
        SD_VARLINK_DEFINE_ENUM_VALUE(problem));

static SD_VARLINK_DEFINE_STRUCT_TYPE(
        Event, SD_VARLINK_DEFINE_FIELD_BY_TYPE(kind, EventKind, 0),
        SD_VARLINK_FIELD_COMMENT("CLOCK_REALTIME in microseconds."),
        SD_VARLINK_DEFINE_FIELD(timeUSec, SD_VARLINK_INT, 0),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(requester, Requester, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Modules that the key of the requester means; empty: none is known."),
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
                "Module parameters, NAME or NAME=VALUE each, for the requested modules only. Root's have to be among the "
                "arguments of the process that calls, or in JSON in one of them; others need a rule with parameters."),
        SD_VARLINK_DEFINE_INPUT(parameters, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Load it and what it needs also if they were built for another kernel "
                                 "(MODULE_INIT_IGNORE_VERMAGIC). For kernels that allow it, CONFIG_MODULE_FORCE_LOAD."),
        SD_VARLINK_DEFINE_INPUT(forceVermagic, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Load them also if versions of symbols differ (MODULE_INIT_IGNORE_MODVERSIONS)."),
        SD_VARLINK_DEFINE_INPUT(forceModversion, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("With 'more' only: something began or ended; the other fields are absent."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(progress, Event, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What was done, in the order in which it ended."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(records, Record, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What was left out, and why."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(omissions, Omission, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD_FULL(
        Unload, SD_VARLINK_SUPPORTS_MORE, SD_VARLINK_FIELD_COMMENT("Module name or alias."),
        SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Remove it also if the module says that it cannot be removed (O_TRUNC, delete_module(2)). "
                                 "For kernels that allow it, CONFIG_MODULE_FORCE_UNLOAD. One that is in use stays."),
        SD_VARLINK_DEFINE_INPUT(force, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("With 'more' only: something began or ended; the other fields are absent."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(progress, Event, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What was done, in the order in which it ended."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(records, Record, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(
        Status, SD_VARLINK_FIELD_COMMENT("Version of lkmd."),
        SD_VARLINK_DEFINE_OUTPUT(version, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Release of the running kernel."),
        SD_VARLINK_DEFINE_OUTPUT(kernelRelease, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Where its modules are looked for."),
        SD_VARLINK_DEFINE_OUTPUT(moduleDirectory, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT(
                "False: that directory or its index is missing, so that nothing can be loaded."),
        SD_VARLINK_DEFINE_OUTPUT(indexComplete, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("Modules in the index."),
        SD_VARLINK_DEFINE_OUTPUT(modulesKnown, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Alias patterns in the index."),
        SD_VARLINK_DEFINE_OUTPUT(aliasesKnown, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Modules in the kernel now."),
        SD_VARLINK_DEFINE_OUTPUT(modulesLoaded, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Who loads drivers for devices."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(inCharge, Authority, 0),
        SD_VARLINK_FIELD_COMMENT("Why lkmd has stepped back, in words; null while it is in charge."),
        SD_VARLINK_DEFINE_OUTPUT(steppedBack, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The command that mends it; lkmd is in charge again by itself then."),
        SD_VARLINK_DEFINE_OUTPUT(steppedBackRemedy, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("When lkmd started, CLOCK_REALTIME in microseconds."),
        SD_VARLINK_DEFINE_OUTPUT(startedUSec, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("The walk over the devices that were there before is over."),
        SD_VARLINK_DEFINE_OUTPUT(coldplugDone, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("Nothing is queued or running."),
        SD_VARLINK_DEFINE_OUTPUT(idle, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("Modules that wait for their turn."),
        SD_VARLINK_DEFINE_OUTPUT(queued, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Loads and removals under way."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(running, Record, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("Modules whose last load or removal failed, newest first, the latest few. "
                                 "Without drivers that were "
                                 "tried for a device and found it none of theirs (ENODEV)."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(failures, Record, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("Files that are broken or unreadable."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(problems, Problem, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("Of what is read, what cannot be watched for changes, and why. Changes of it are noticed, but some "
                                 "seconds later."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(unwatched, Problem, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("The policy in force."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(policy, Policy, 0),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(counters, Counters, 0),
        SD_VARLINK_FIELD_COMMENT("How long things took since the start, for every phase."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(phases, PhaseTimes, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
        DescribeModule, SD_VARLINK_FIELD_COMMENT("Module name, '-' and '_' alike."),
        SD_VARLINK_DEFINE_INPUT(name, SD_VARLINK_STRING, 0),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(module, Module, 0),
        SD_VARLINK_FIELD_COMMENT("Modules it cannot work without, in the order of loading."),
        SD_VARLINK_DEFINE_OUTPUT(dependencies, SD_VARLINK_STRING, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("Parameters that the configuration gives it at the next load."),
        SD_VARLINK_DEFINE_OUTPUT(configuredParameters, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What would be left out if it were asked for by name now."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(omissions, Omission, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("The blacklist line that keeps it from being loaded for a device."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(blacklist, Omission, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What lkmd did with it, newest first, as far back as its history goes."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(history, Record, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
        List,
        SD_VARLINK_FIELD_COMMENT("Modules in the kernel now, newest first, as /proc/modules has them."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(modules, Module, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD_FULL(
        Monitor, SD_VARLINK_REQUIRES_MORE,
        SD_VARLINK_FIELD_COMMENT("Absent in the first reply, which says that the subscription stands."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(event, Event, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD(
        Reload,
        SD_VARLINK_FIELD_COMMENT(
                "What was wrong with the files that were read, but did not keep them from being used."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(problems, Problem, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(
        Wait,
        SD_VARLINK_FIELD_COMMENT(
                "Until nothing is queued or running and all devices found so far were looked at."),
        SD_VARLINK_DEFINE_INPUT(idle, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Until this module is live, whoever loads it."),
        SD_VARLINK_DEFINE_INPUT(module, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Until this device has a driver: its path, with /sys at its beginning or "
                                 "without, also by links. For what a class shows, such as a network "
                                 "interface, the device below it counts. A driver that is still being "
                                 "loaded does not."),
        SD_VARLINK_DEFINE_INPUT(device, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Microseconds until the answer is Timeout; absent: no limit."),
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
        SD_VARLINK_FIELD_COMMENT("File of the line that denies it."),
        SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("That line, from 1."),
        SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("What of the policy denies it."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(source, PolicySource, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Name of the rule that denies it."),
        SD_VARLINK_DEFINE_FIELD(rule, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Why it does, in one sentence."),
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
        SD_VARLINK_FIELD_COMMENT("What the kernel logged about it."),
        SD_VARLINK_DEFINE_FIELD(kernelLog, SD_VARLINK_STRING, SD_VARLINK_ARRAY | SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("All that was done, in the order in which it ended."),
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

static SD_VARLINK_DEFINE_ERROR(
                UnknownParameter,
                MESSAGE_FIELDS,
                SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
                SD_VARLINK_FIELD_COMMENT("The name that the module does not know."),
                SD_VARLINK_DEFINE_FIELD(parameter, SD_VARLINK_STRING, 0),
                SD_VARLINK_FIELD_COMMENT("The names that it does know."),
                SD_VARLINK_DEFINE_FIELD(known, SD_VARLINK_STRING, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_ERROR(Timeout, MESSAGE_FIELDS);

static SD_VARLINK_DEFINE_ERROR(
                ReloadFailed,
                MESSAGE_FIELDS,
                SD_VARLINK_FIELD_COMMENT("What is wrong; the old configuration stays in force."),
                SD_VARLINK_DEFINE_FIELD_BY_TYPE(problems, Problem, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_ERROR(TooManyClients, MESSAGE_FIELDS);
static SD_VARLINK_DEFINE_ERROR(MessageTooLarge, MESSAGE_FIELDS);

SD_VARLINK_DEFINE_INTERFACE(
        io_lkmd_Manager, "io.lkmd.Manager",
        SD_VARLINK_INTERFACE_COMMENT(
                "Decides which modules enter the kernel, and says why. Reading is for anyone; "
                "Load, Unload, Reload, Grant and Revoke are for root and members of the group lkmd-admin."),
        SD_VARLINK_SYMBOL_COMMENT("Who asked for something."), &vl_type_Origin,
        SD_VARLINK_SYMBOL_COMMENT("The request behind an action."), &vl_type_Requester,
        SD_VARLINK_SYMBOL_COMMENT("Why a module is part of a request."), &vl_type_Reason,
        SD_VARLINK_SYMBOL_COMMENT("What became of a module in a request."), &vl_type_Outcome,
        SD_VARLINK_SYMBOL_COMMENT("One thing done to one module, with its requester."), &vl_type_Record,
        SD_VARLINK_SYMBOL_COMMENT("Why something was left out of a request."), &vl_type_OmissionKind,
        SD_VARLINK_SYMBOL_COMMENT("What can decide about a module, in the order in which it is asked."),
        &vl_type_PolicySource,
        &vl_type_PolicyStanding,
        SD_VARLINK_SYMBOL_COMMENT("How much force the policy has."), &vl_type_PolicyMode,
        SD_VARLINK_SYMBOL_COMMENT("What a policy can say of a module."), &vl_type_PolicyVerdict,
        SD_VARLINK_SYMBOL_COMMENT("What of the policy decided, and where that is written."), &vl_type_Ruling,
        SD_VARLINK_SYMBOL_COMMENT("An exception from the policy, for a time."), &vl_type_PolicyGrant,
        SD_VARLINK_SYMBOL_COMMENT("A module that the policy denies, and by what."), &vl_type_DeniedModule,
        SD_VARLINK_SYMBOL_COMMENT("The policy in force."), &vl_type_Policy,
        SD_VARLINK_SYMBOL_COMMENT("What the policy did about a module."), &vl_type_AuditKind,
        SD_VARLINK_SYMBOL_COMMENT("Something that the policy did, and how often."), &vl_type_AuditEntry,
        SD_VARLINK_SYMBOL_COMMENT("Something that was left out of a request."), &vl_type_Omission,
        SD_VARLINK_SYMBOL_COMMENT("Something wrong with a file that lkmd reads."), &vl_type_Problem,
        SD_VARLINK_SYMBOL_COMMENT("Where a module stands."), &vl_type_ModuleState,
        SD_VARLINK_SYMBOL_COMMENT("A module and where it stands."), &vl_type_Module,
        SD_VARLINK_SYMBOL_COMMENT("Who loads drivers for devices."), &vl_type_Authority,
        SD_VARLINK_SYMBOL_COMMENT("How often things happened since lkmd started."), &vl_type_Counters,
        SD_VARLINK_SYMBOL_COMMENT("A part of the way from an event to a loaded module."), &vl_type_Phase,
        SD_VARLINK_SYMBOL_COMMENT("How many took no longer than a certain time."), &vl_type_PhaseBucket,
        SD_VARLINK_SYMBOL_COMMENT("How long a phase took, since lkmd started."), &vl_type_PhaseTimes,
        SD_VARLINK_SYMBOL_COMMENT("What an event tells."), &vl_type_EventKind,
        SD_VARLINK_SYMBOL_COMMENT("Something that happened; which fields are there depends on the kind."),
        &vl_type_Event,
        SD_VARLINK_SYMBOL_COMMENT("Loads a module, or all that an alias means, with what they need. Answers "
                                  "when the outcome is known."),
        &vl_method_Load,
        SD_VARLINK_SYMBOL_COMMENT("Removes a module, and what only it needed and lkmd had loaded for it."),
        &vl_method_Unload, SD_VARLINK_SYMBOL_COMMENT("How lkmd is doing."), &vl_method_Status,
        SD_VARLINK_SYMBOL_COMMENT("All that is known about one module."), &vl_method_DescribeModule,
        SD_VARLINK_SYMBOL_COMMENT("The modules in the kernel."), &vl_method_List,
        SD_VARLINK_SYMBOL_COMMENT(
                "What happens from now on. The first reply is empty and says that the subscription stands."),
        &vl_method_Monitor,
        SD_VARLINK_SYMBOL_COMMENT("Reads lkmd.conf, the policy, modprobe.d and the module index anew."),
        &vl_method_Reload,
        SD_VARLINK_SYMBOL_COMMENT("Answers when what was asked for holds. At least one of idle, module and "
                                  "device is needed; of several all have to hold at once."),
        &vl_method_Wait,
        SD_VARLINK_SYMBOL_COMMENT("Allows or denies a module for a time, before any rule of policy.d is asked."),
        &vl_method_Grant, SD_VARLINK_SYMBOL_COMMENT("Takes back what Grant gave."), &vl_method_Revoke,
        SD_VARLINK_SYMBOL_COMMENT("What the policy refused, would have refused or reported since the machine was started."),
        &vl_method_Audit, SD_VARLINK_SYMBOL_COMMENT("No module and no alias matches."),
        &vl_error_NoSuchModule, SD_VARLINK_SYMBOL_COMMENT("There is no such grant (any more)."),
        &vl_error_NoSuchGrant,
        SD_VARLINK_SYMBOL_COMMENT("There is no such device, or it is gone while somebody waits for its "
                                  "driver."),
        &vl_error_NoSuchDevice, SD_VARLINK_SYMBOL_COMMENT("The configuration forbids it."), &vl_error_Denied,
        SD_VARLINK_SYMBOL_COMMENT("The kernel refused the module or one that it needs."),
        &vl_error_LoadFailed, SD_VARLINK_SYMBOL_COMMENT("The kernel refused to let it go."),
        &vl_error_UnloadFailed, SD_VARLINK_SYMBOL_COMMENT("It is not in the kernel."), &vl_error_NotLoaded,
        SD_VARLINK_SYMBOL_COMMENT("It is part of the kernel image and cannot be removed."),
        &vl_error_BuiltIn, SD_VARLINK_SYMBOL_COMMENT("Something still uses it."), &vl_error_InUse,
        SD_VARLINK_SYMBOL_COMMENT("The module has no such parameter."), &vl_error_UnknownParameter,
        SD_VARLINK_SYMBOL_COMMENT("The time is over."), &vl_error_Timeout,
        SD_VARLINK_SYMBOL_COMMENT("A file is broken; nothing was changed."), &vl_error_ReloadFailed,
        SD_VARLINK_SYMBOL_COMMENT("Not answered, but told before lkmd hangs up, and perhaps before it is asked: there is no place "
                                  "for one more connection. A user may have 16 of them, each with one call at a time; root and "
                                  "the group lkmd-admin may have more, and have places kept for them. An unprivileged "
                                  "connection that makes no call for five minutes ends, when room is short before that."),
        &vl_error_TooManyClients,
        SD_VARLINK_SYMBOL_COMMENT("The call has more than 64 KiB, or is nested deeper than 16 arrays and objects. It was not even "
                                  "looked at, and lkmd hangs up."),
        &vl_error_MessageTooLarge);
