/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NetworkHolds: see network-holds.h. s->net_spaces is known before, this process's first. The kernel tells of the name
 * space that a socket was made in; so this process enters each for that moment, and comes back. An interface does
 * not keep its module, and goes with it; only one of tun that is to stay holds it. Owns nothing.
 */

#include "cli/holders/network-holds.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>

#include "cli/machine/process.h"
#include "cli/machine/rtnetlink.h"

typedef struct Look {
        Subject *s;
        const Space *space;             /* NULL: that of this process */
        char *where;                    /* words about the name space; "" */
        char *enter;                    /* what goes before a command there; "" */
} Look;

/* The device that an interface is of is one with a driver of the module. Its name is without its bus. */
static bool is_bound(const Subject *s, const char *parent) {
        for (char **device = s->bound; parent && device && *device; device++)
                if (streq(strrchr(*device, '/') + 1, parent))
                        return true;
        return false;
}

static int add_interface(const Look *l, const char *name, const char *kind, bool up) {
        Hold hold = { .kind = HOLD_INTERFACE };
        _cleanup_(freep) char *word = NULL;
        int r;

        hold.references = kind && streq(kind, "tun");
        r = hold_word(name, &word);
        if (r >= 0)
                r = hold_text(&hold.name, "%s", name);
        if (r >= 0)
                r = hold_text(&hold.how, "is an interface%s%s, %s%s", kind ? " of the kind " : "",
                              kind ?: "", up ? "up" : "down", l->where);
        if (r >= 0 && kind)
                r = hold_text(&hold.next, "%sip link delete %s", l->enter, word);
        else if (r >= 0 && up)
                r = hold_text(&hold.next, "%sip link set %s down", l->enter, word);
        return holds_add(&l->s->holds, &hold);
}

static int on_interface(const struct nlmsghdr *m, void *userdata) {
        const Look *l = userdata;
        const struct ifinfomsg *info = NLMSG_DATA(m);
        const char *name, *kind, *parent;

        if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
                return 0;
        name = rtnetlink_string(rtnetlink_attribute(m, sizeof(*info), IFLA_IFNAME));
        kind = rtnetlink_string(
                rtnetlink_nested(rtnetlink_attribute(m, sizeof(*info), IFLA_LINKINFO), IFLA_INFO_KIND));
        parent = rtnetlink_string(rtnetlink_attribute(m, sizeof(*info), IFLA_PARENT_DEV_NAME));
        if (!name)
                return 0;
        if (kind && (subject_has_alias(l->s, "rtnl-link-", kind) || subject_is_named(l->s, "", kind)))
                return add_interface(l, name, kind, info->ifi_flags & IFF_UP);
        return is_bound(l->s, parent) ? add_interface(l, name, NULL, info->ifi_flags & IFF_UP) : 0;
}

/* Each queueing discipline holds its module, qdisc_create(). */
static int on_qdisc(const struct nlmsghdr *m, void *userdata) {
        const Look *l = userdata;
        const struct tcmsg *info = NLMSG_DATA(m);
        char name[IF_NAMESIZE];
        Hold hold = { .kind = HOLD_QDISC, .references = 1 };
        const char *kind;

        if (m->nlmsg_type != RTM_NEWQDISC || m->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
                return 0;
        kind = rtnetlink_string(rtnetlink_attribute(m, sizeof(*info), TCA_KIND));
        if (!kind || !(subject_has_alias(l->s, "net-sch-", kind) || subject_is_named(l->s, "sch_", kind)))
                return 0;
        if (!if_indextoname((unsigned) info->tcm_ifindex, name))
                (void) snprintf(name, sizeof(name), "%d", info->tcm_ifindex);
        if (hold_text(&hold.name, "%s", name) >= 0)
                (void) hold_text(&hold.how, "has the queueing discipline %s%s", kind, l->where);
        return holds_add(&l->s->holds, &hold);
}

/* In the name space that this process is in now. Return: 0; -ENOMEM. */
static int look_here(Look *l) {
        struct {
                struct nlmsghdr header;
                struct ifinfomsg info;
        } links = { .header = { .nlmsg_type = RTM_GETLINK,
                                .nlmsg_flags = NLM_F_DUMP,
                                .nlmsg_len = sizeof(links) } };
        struct {
                struct nlmsghdr header;
                struct tcmsg info;
        } qdiscs = { .header = { .nlmsg_type = RTM_GETQDISC,
                                 .nlmsg_flags = NLM_F_DUMP,
                                 .nlmsg_len = sizeof(qdiscs) } };
        _cleanup_(closep) int fd = rtnetlink_open();
        int r;

        if (fd < 0)
                return fd == -ENOMEM ? fd : 0;
        r = rtnetlink_ask(fd, &links.header, on_interface, l);
        if (r != -ENOMEM)
                r = rtnetlink_ask(fd, &qdiscs.header, on_qdisc, l);
        return r == -ENOMEM ? r : 0;
}

static int describe_space(Look *l, const Space *space) {
        _cleanup_(freep) char *command = NULL, *word = NULL;
        int r;

        if (space->pid == 0) {
                r = hold_word(space->name ?: "", &word);
                if (r >= 0)
                        r = hold_text(&l->where, ", in the name space %s", space->name);
                return r < 0 ? r : hold_text(&l->enter, "ip netns exec %s ", word);
        }
        r = process_command_new(l->s->proc, space->pid, &command);
        if (r == -ENOMEM)
                return r;
        r = hold_text(&l->where, ", in the name space of the process %d (%s)", space->pid, command ?: "?");
        return r < 0 ? r : hold_text(&l->enter, "nsenter -n -t %d ", space->pid);
}

static int look_there(Subject *s, const Space *space, int home) {
        _cleanup_(closep) int fd = open(space->path, O_RDONLY | O_CLOEXEC);
        Look look = { .s = s, .space = space };
        int r;

        if (fd < 0)
                return 0;               /* gone */
        if (setns(fd, CLONE_NEWNET) < 0) {
                s->spaces_unseen = s->spaces_unseen || errno == EPERM;
                return 0;
        }
        r = describe_space(&look, space);
        if (r >= 0)
                r = look_here(&look);
        free(look.where);
        free(look.enter);
        if (setns(home, CLONE_NEWNET) < 0)
                return -errno;
        return r;
}

/* Return: 0; -ENOMEM. */
int network_holds_find(Subject *s) {
        _cleanup_(closep) int home = -EBADF;
        char none[] = "";
        int r;

        assert(s);

        if (*s->root)                   /* the kernel's answers are of this machine */
                return 0;
        r = look_here(&(Look) { .s = s, .where = none, .enter = none });
        home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        for (size_t i = 1; r >= 0 && home >= 0 && i < s->n_net_spaces; i++)
                r = look_there(s, s->net_spaces + i, home);
        return r;
}
