/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GateGive: the manager has no privilege, and could not open what is pinned. So its descriptors are put into the
 * store that systemd keeps for lkmd.service, and systemd passes them on when it starts the manager: FDSTORE=1 in
 * sd_notify(3). Those of an earlier gate are taken out first.
 */

#include "daemon/privileged/gate/gate-give.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <systemd/sd-daemon.h>

#include "common/base/paths.h"
#include "common/base/util.h"
#include "daemon/privileged/gate/gate-pins.h"

#define ANSWER_USEC (30U * 1000U * 1000U)

static int forget(const char *name) {
        int r = sd_notifyf(/* unset_environment= */ false, "FDSTOREREMOVE=1\nFDNAME=" LKMD_FD_GATE "%s",
                           name);

        return r == 0 ? -ENOTCONN : r;
}

static int give(const char *root, const char *name) {
        _cleanup_(closep) int fd = -EBADF;
        char path[GATE_PIN_SIZE], message[GATE_PIN_SIZE];

        gate_pin_path(path, root, "map", name);
        fd = bpf_obj_get(path);
        if (fd < 0)
                return -errno;
        (void) snprintf(message, sizeof(message), "FDSTORE=1\nFDPOLL=0\nFDNAME=" LKMD_FD_GATE "%s", name);
        return sd_pid_notify_with_fds(/* pid= */ 0, /* unset_environment= */ false, message, &fd, 1);
}

/**
 * gate_give() - pass the maps to the service whose ExecStartPre= this is
 *
 * Returns when systemd has them. Without a gate, the service has none afterwards.
 *
 * Return: 0; -ENOTCONN if not started by systemd; -ENOENT if a map is not pinned; what sd_notify(3) says.
 */
int gate_give(const char *root) {
        static const char *const names[_GATE_MAP_MAX] = GATE_MAP_NAMES;
        bool exists;
        int r = 0;

        assert(root);

        exists = gate_pins_exist(root);
        for (size_t i = 0; i < _GATE_MAP_MAX && r >= 0; i++)
                r = forget(names[i]);
        for (size_t i = 0; i < _GATE_MAP_MAX && r >= 0 && exists; i++)
                r = give(root, names[i]);
        if (r < 0)
                return r;
        r = sd_notify_barrier(/* unset_environment= */ false, ANSWER_USEC);
        return r < 0 ? r : 0;
}
