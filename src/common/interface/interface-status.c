/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* InterfaceStatus: the part of the varlink interface that says how lkmd is doing. */

#include "common/interface/interface-status.h"

#include "common/interface/interface-policy.h"

SD_VARLINK_DEFINE_ENUM_TYPE(
        GateMode, SD_VARLINK_FIELD_COMMENT("Nothing: there is no gate, or Gate=off."),
        SD_VARLINK_DEFINE_ENUM_VALUE(off),
        SD_VARLINK_FIELD_COMMENT("Requests of the kernel's own, and sockets of rules with scope: use."),
        SD_VARLINK_DEFINE_ENUM_VALUE(requests),
        SD_VARLINK_FIELD_COMMENT("Module files too, whoever loads them."),
        SD_VARLINK_DEFINE_ENUM_VALUE(files));

SD_VARLINK_DEFINE_ENUM_TYPE(
        Authority,
        SD_VARLINK_FIELD_COMMENT("lkmd loads drivers for devices; udev's own rule for that is masked."),
        SD_VARLINK_DEFINE_ENUM_VALUE(lkmd),
        SD_VARLINK_FIELD_COMMENT("udev's rule is in force as well, so that both load drivers."),
        SD_VARLINK_DEFINE_ENUM_VALUE(lkmd_and_udev),
        SD_VARLINK_FIELD_COMMENT(
                "lkmd cannot load modules, or read what it has to know, and has stepped back; udev's rule is in force."),
        SD_VARLINK_DEFINE_ENUM_VALUE(udev));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        Counters, SD_VARLINK_FIELD_COMMENT("Uevents of the kernel of all kinds."),
        SD_VARLINK_DEFINE_FIELD(events, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Repeated events of a device that were handled together."),
        SD_VARLINK_DEFINE_FIELD(coalesced, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Times that events were lost: the kernel reported it, or their "
                                 "numbers had a gap."),
        SD_VARLINK_DEFINE_FIELD(lost, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT(
                "Events that were delayed, of devices that keep appearing and disappearing."),
        SD_VARLINK_DEFINE_FIELD(backedOff, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Times that /sys was walked again after the first: events were "
                                 "lost, or the module index had become complete."),
        SD_VARLINK_DEFINE_FIELD(rescans, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Devices found in walks over /sys."),
        SD_VARLINK_DEFINE_FIELD(coldplugDevices, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Look-ups in the module index, for devices and for requests of "
                                 "clients."),
        SD_VARLINK_DEFINE_FIELD(lookups, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Requests: calls of Load and Unload, and keys of devices that "
                                 "matched modules to load."),
        SD_VARLINK_DEFINE_FIELD(requests, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Modules loaded, and install commands run instead."),
        SD_VARLINK_DEFINE_FIELD(loads, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Modules removed, and remove commands run instead."),
        SD_VARLINK_DEFINE_FIELD(unloads, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Requests that joined a load or removal under way."),
        SD_VARLINK_DEFINE_FIELD(joins, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Loads and removals that failed."),
        SD_VARLINK_DEFINE_FIELD(failures, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT(
                "Times that the install command of a module ended with an error, which keeps the "
                "module out. They are not among the failures."),
        SD_VARLINK_DEFINE_FIELD(keptOut, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Loads and removals that took longer than SlowLoadSec=, including "
                                 "those still under way."),
        SD_VARLINK_DEFINE_FIELD(slow, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("The largest number of modules that were queued at once."),
        SD_VARLINK_DEFINE_FIELD(queueHighWater, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT(
                "Times that a module was left out of a request because the policy, a blacklist "
                "line or an install line denies it or a module that it needs."),
        SD_VARLINK_DEFINE_FIELD(denied, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT(
                "Likewise, times that it would have been if what is in audit mode were enforced."),
        SD_VARLINK_DEFINE_FIELD(wouldDeny, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT(
                "Requests, sockets and module files that the gate refused inside the kernel, as far as it has told."),
        SD_VARLINK_DEFINE_FIELD(gateRefused, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT(
                "Events of the gate for which it had no room: it is not known who asked then."),
        SD_VARLINK_DEFINE_FIELD(gateLost, SD_VARLINK_INT, 0));

SD_VARLINK_DEFINE_ENUM_TYPE(
        Phase, SD_VARLINK_FIELD_COMMENT("A uevent, from its arrival until it was handled."),
        SD_VARLINK_DEFINE_ENUM_VALUE(event),
        SD_VARLINK_FIELD_COMMENT("A request to load modules: look-up and plan. Not counted if the "
                                 "key matches nothing."),
        SD_VARLINK_DEFINE_ENUM_VALUE(plan),
        SD_VARLINK_FIELD_COMMENT("A queued module, until it was passed to lkmd-loader."),
        SD_VARLINK_DEFINE_ENUM_VALUE(queue),
        SD_VARLINK_FIELD_COMMENT("A load that succeeded: the time in the kernel, or of the install "
                                 "command."),
        SD_VARLINK_DEFINE_ENUM_VALUE(load),
        SD_VARLINK_FIELD_COMMENT("A removal that succeeded: the time in the kernel, or of the "
                                 "remove command."),
        SD_VARLINK_DEFINE_ENUM_VALUE(unload));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        UdevRule,
        SD_VARLINK_FIELD_COMMENT("Which devices wait, in words: all devices, or those of some subsystems."),
        SD_VARLINK_DEFINE_FIELD(devices, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("File of the rule."), SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Its first line, from 1; 0: the whole file, which cannot be read."),
        SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT(
                "What it does that matters to drivers, in words, such as: sets driver_override."),
        SD_VARLINK_DEFINE_FIELD(reason, SD_VARLINK_STRING, 0));

SD_VARLINK_DEFINE_STRUCT_TYPE(PhaseBucket, SD_VARLINK_FIELD_COMMENT("A time, in microseconds."),
                              SD_VARLINK_DEFINE_FIELD(leUSec, SD_VARLINK_INT, 0),
                              SD_VARLINK_FIELD_COMMENT("How many took at most that long."),
                              SD_VARLINK_DEFINE_FIELD(count, SD_VARLINK_INT, 0));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        PhaseTimes, SD_VARLINK_DEFINE_FIELD_BY_TYPE(phase, Phase, 0),
        SD_VARLINK_FIELD_COMMENT("How many there were."), SD_VARLINK_DEFINE_FIELD(count, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("The total time, in microseconds."),
        SD_VARLINK_DEFINE_FIELD(sumUSec, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("From the shortest time to the longest; cumulative: each includes "
                                 "the ones before it."),
        SD_VARLINK_DEFINE_FIELD_BY_TYPE(buckets, PhaseBucket, SD_VARLINK_ARRAY));

SD_VARLINK_DEFINE_STRUCT_TYPE(
        WaitingModule, SD_VARLINK_FIELD_COMMENT("What is listed: the name of a module, or an alias."),
        SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT(
                "The module that found no device: the one that is meant, or one that it needs."),
        SD_VARLINK_DEFINE_FIELD(module, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("The list that has it; /proc/cmdline for the kernel command line."),
        SD_VARLINK_DEFINE_FIELD(file, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Line in it, from 1; absent for the kernel command line."),
        SD_VARLINK_DEFINE_FIELD(line, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Since when it waits, CLOCK_REALTIME in microseconds."),
        SD_VARLINK_DEFINE_FIELD(sinceUSec, SD_VARLINK_INT, 0));

SD_VARLINK_DEFINE_METHOD(
        Status, SD_VARLINK_FIELD_COMMENT("Version of lkmd."),
        SD_VARLINK_DEFINE_OUTPUT(version, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("Release of the running kernel."),
        SD_VARLINK_DEFINE_OUTPUT(kernelRelease, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT("The directory of its modules."),
        SD_VARLINK_DEFINE_OUTPUT(moduleDirectory, SD_VARLINK_STRING, 0),
        SD_VARLINK_FIELD_COMMENT(
                "False: that directory or its index is missing, so that no module can be loaded."),
        SD_VARLINK_DEFINE_OUTPUT(indexComplete, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("Modules in the index."),
        SD_VARLINK_DEFINE_OUTPUT(modulesKnown, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Alias patterns in the index."),
        SD_VARLINK_DEFINE_OUTPUT(aliasesKnown, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Modules in the kernel now."),
        SD_VARLINK_DEFINE_OUTPUT(modulesLoaded, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Who loads drivers for devices."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(inCharge, Authority, 0),
        SD_VARLINK_FIELD_COMMENT(
                "The program that the kernel starts when it needs a module: the sysctl kernel.modprobe. \"\": "
                "such requests are switched off. null: the kernel makes none."),
        SD_VARLINK_DEFINE_OUTPUT(kernelProgram, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("Whether that is lkmd-request, which asks lkmd."),
        SD_VARLINK_DEFINE_OUTPUT(kernelAsksLkmd, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("Why lkmd stepped back, in words; null while it is in charge."),
        SD_VARLINK_DEFINE_OUTPUT(steppedBack, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("The command that corrects it; lkmd then is in charge again by itself."),
        SD_VARLINK_DEFINE_OUTPUT(steppedBackRemedy, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "The administrator's own file, or link to /dev/null, in the place of udev's 80-drivers.rules: udev does what it "
                "says, and lkmd is not in charge. null: there is none."),
        SD_VARLINK_DEFINE_OUTPUT(ownUdevRule, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "udev's rules because of which drivers are loaded after udev has handled the device."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(afterUdev, UdevRule, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("Devices that wait until udev has handled them."),
        SD_VARLINK_DEFINE_OUTPUT(waitingForUdev, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("What the gate refuses inside the kernel."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(gate, GateMode, 0),
        SD_VARLINK_FIELD_COMMENT("Why the gate is off, in words; null if it is not."),
        SD_VARLINK_DEFINE_OUTPUT(gateOff, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT(
                "Modules that were loaded on demand go when nobody has used them for a while."),
        SD_VARLINK_DEFINE_OUTPUT(idleUnload, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT(
                "IdleUnloadSec= of lkmd.conf(5); absent: only those of which a rule says so."),
        SD_VARLINK_DEFINE_OUTPUT(idleUnloadUSec, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
        SD_VARLINK_FIELD_COMMENT("When lkmd started, CLOCK_REALTIME in microseconds."),
        SD_VARLINK_DEFINE_OUTPUT(startedUSec, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("The walk over the devices that existed when lkmd started is finished."),
        SD_VARLINK_DEFINE_OUTPUT(coldplugDone, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("Nothing is queued or running."),
        SD_VARLINK_DEFINE_OUTPUT(idle, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT("Modules that are queued."),
        SD_VARLINK_DEFINE_OUTPUT(queued, SD_VARLINK_INT, 0),
        SD_VARLINK_FIELD_COMMENT("Loads and removals under way."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(running, Record, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT(
                "Modules whose last load or removal failed, the latest few, newest first. Without drivers that "
                "were tried for a device, or are listed for the boot, and found none that they support (ENODEV)."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(failures, Record, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT(
                "All that is listed to be loaded at boot (modules-load.d(5), modules_load=) was loaded, left out, failed, or waits for "
                "its device. False: not yet, or lkmd leaves it to systemd."),
        SD_VARLINK_DEFINE_OUTPUT(listsSettled, SD_VARLINK_BOOL, 0),
        SD_VARLINK_FIELD_COMMENT(
                "What is listed there and has found no device yet. It is tried again when one comes that it is for."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(waitingForDevice, WaitingModule, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("Files that are broken or cannot be read."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(problems, Problem, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT(
                "Files that cannot be watched for changes, and why. Their changes are noticed some seconds later."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(unwatched, Problem, SD_VARLINK_ARRAY),
        SD_VARLINK_FIELD_COMMENT("The policy in force."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(policy, Policy, 0),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(counters, Counters, 0),
        SD_VARLINK_FIELD_COMMENT("How long each phase took, since lkmd started."),
        SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(phases, PhaseTimes, SD_VARLINK_ARRAY));
