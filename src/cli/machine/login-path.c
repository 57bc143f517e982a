/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoginPath: see login-path.h. Of the processes from this one up to the first, one holds the TCP connection of the
 * login: that of sshd, which root alone can look into. For others, what sshd put into the environment says the same,
 * and for other services systemd-logind knows the host. A connection counts for the interface that has its address
 * here and for that by which answers leave, which need not be the same; the interfaces below these count too, such as
 * the ports of a bridge. Owns nothing.
 */

#include "cli/machine/login-path.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <stdint.h>
#include <systemd/sd-login.h>

#include "cli/machine/proc-file.h"
#include "cli/machine/process.h"
#include "cli/machine/rtnetlink.h"
#include "common/base/array.h"
#include "common/base/string-list.h"

#define ANCESTORS_MAX 64U               /* from the shell to the first process there are some ten */
#define INTERFACES_MAX 64U              /* on the way of one login */
#define TCP_WORDS 10U                   /* sl, local, peer, state, queues, timer, retransmits, user, timeout, inode */
#define TCP_IS_ESTABLISHED "01"         /* TCP_ESTABLISHED, include/net/tcp_states.h */

static int add_once(char ***list, const char *text) {
        if (*text == '\0' || string_list_contains(*list, text))
                return 0;
        return string_list_append(list, text, strlen(text));
}

/* -------------------------------------------------------------------------------------- connections of processes */

typedef struct Inodes {
        uint64_t *items;
        size_t n_items, n_allocated;
} Inodes;

static void inodes_clear(Inodes *i) {
        free(i->items);
        *i = (Inodes) {};
}

/* The sockets of a process. Return: 0, also if it may not be looked at; -ENOMEM. */
static int read_sockets(const char *proc, pid_t pid, Inodes *ret) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX], target[64];
        struct dirent *entry;

        if (snprintf(path, sizeof(path), "%s/%d/fd", proc, pid) < (int) sizeof(path))
                dir = opendir(path);
        while (dir && (entry = readdir(dir))) {
                ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

                if (n <= 0)
                        continue;
                target[n] = '\0';
                if (!startswith(target, "socket:["))
                        continue;
                if (array_reserve(&ret->items, &ret->n_allocated, ret->n_items + 1, sizeof(*ret->items)) < 0)
                        return -ENOMEM;
                ret->items[ret->n_items++] = strtoull(target + strlen("socket:["), NULL, 10);
        }
        return 0;
}

/* "0100007F:0016": words of four bytes as the processor has them, net/ipv4/tcp_ipv4.c. */
static bool read_address(const char *text, char ret[static INET6_ADDRSTRLEN]) {
        size_t n = strspn(text, "0123456789ABCDEFabcdef") / 8;
        uint32_t words[4];
        struct in6_addr six;

        if ((n != 1 && n != 4) || text[n * 8] != ':')
                return false;
        for (size_t i = 0; i < n; i++) {
                char word[9] = {};

                memcpy(word, text + i * 8, 8);
                words[i] = (uint32_t) strtoul(word, NULL, 16);
        }
        if (n == 1)
                return inet_ntop(AF_INET, words, ret, INET6_ADDRSTRLEN) != NULL;
        memcpy(&six, words, sizeof(six));
        if (IN6_IS_ADDR_V4MAPPED(&six))
                return inet_ntop(AF_INET, six.s6_addr + 12, ret, INET6_ADDRSTRLEN) != NULL;
        return inet_ntop(AF_INET6, &six, ret, INET6_ADDRSTRLEN) != NULL;
}

static int take_connection(char *line, const Inodes *inodes, LoginAddresses *a) {
        char *words[TCP_WORDS], local[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];
        bool found = false;
        uint64_t inode;
        int r;

        if (proc_line_split(line, words, TCP_WORDS) < TCP_WORDS || !streq(words[3], TCP_IS_ESTABLISHED))
                return 0;
        inode = strtoull(words[9], NULL, 10);
        for (size_t i = 0; i < inodes->n_items && !found; i++)
                found = inodes->items[i] == inode;
        if (!found || !read_address(words[1], local) || !read_address(words[2], peer))
                return 0;
        r = add_once(&a->locals, local);
        return r < 0 ? r : add_once(&a->peers, peer);
}

/* The established connections of one process. Return: 0; -ENOMEM. */
static int take_process(const char *proc, pid_t pid, LoginAddresses *a) {
        static const char *const tables[] = { "tcp", "tcp6" };
        _cleanup_(inodes_clear) Inodes inodes = {};
        int r;

        r = read_sockets(proc, pid, &inodes);
        if (r < 0 || inodes.n_items == 0)
                return r;
        for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
                _cleanup_(freep) char *text = NULL;
                char *rest, *line;

                r = proc_file_new(&text, "%s/%d/net/%s", proc, pid, tables[i]);
                if (r == -ENOMEM)
                        return r;
                for (rest = text; (line = proc_file_line(&rest));) {
                        r = take_connection(line, &inodes, a);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* "CLIENT PORT SERVER PORT" of sshd(8), in the environment that a process began with. Return: 0; -ENOMEM. */
static int take_environment(const char *proc, pid_t pid, LoginAddresses *a) {
        static const char name[] = "SSH_CONNECTION=";
        _cleanup_(freep) char *text = NULL;
        size_t size, n;
        int r;

        r = proc_file_sized(&text, &size, "%s/%d/environ", proc, pid);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (char *p = text; p < text + size; p += n + 1) {
                char *words[4];

                n = strlen(p);
                if (!startswith(p, name))
                        continue;
                if (proc_line_split(p + strlen(name), words, 4) < 4)
                        return 0;
                r = add_once(&a->peers, words[0]);
                return r < 0 ? r : add_once(&a->locals, words[2]);
        }
        return 0;
}

static int for_ancestors(const char *proc, pid_t pid, LoginAddresses *a,
                         int (*take)(const char *proc, pid_t pid, LoginAddresses *a)) {
        for (unsigned i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
                int r = take(proc, pid, a);

                if (r < 0)
                        return r;
                if (process_parent(proc, pid, &pid) < 0)
                        break;
        }
        return 0;
}

/**
 * login_addresses_new() - the ends of the connections that a process was started through
 * @root: what "/" is; "": the real one
 * @ret:  without any if it was not started through the network, or that cannot be seen; the caller clears it, also
 *        after a failure
 *
 * The first process is left out: it holds sockets of others.
 *
 * Return: 0; -ENOMEM.
 */
int login_addresses_new(const char *root, pid_t pid, LoginAddresses *ret) {
        _cleanup_(freep) char *proc = NULL;
        int r;

        assert(root && ret);

        *ret = (LoginAddresses) {};
        if (asprintf(&proc, "%s/proc", root) < 0) {
                proc = NULL;
                return -ENOMEM;
        }
        r = string_list_new(&ret->locals);
        if (r >= 0)
                r = string_list_new(&ret->peers);
        if (r >= 0)
                r = for_ancestors(proc, pid, ret, take_process);
        if (r >= 0 && !*ret->peers)
                r = for_ancestors(proc, pid, ret, take_environment);
        return r;
}

void login_addresses_clear(LoginAddresses *a) {
        assert(a);

        a->locals = string_list_free(a->locals);
        a->peers = string_list_free(a->peers);
}

/* ------------------------------------------------------------------------------------------------------- logind */

/* The other end of a session, as logind knows it: a name or an address. Return: 0; -ENOMEM. */
static int add_session_peers(LoginAddresses *a) {
        _cleanup_(freep) char *session = NULL, *host = NULL;
        struct addrinfo *found = NULL;
        int r = 0;

        if (sd_pid_get_session(0, &session) < 0 || sd_session_get_remote_host(session, &host) < 0 || !host)
                return 0;
        if (getaddrinfo(host, NULL, &(struct addrinfo) { .ai_socktype = SOCK_STREAM }, &found) != 0)
                return 0;
        for (struct addrinfo *i = found; i && r >= 0; i = i->ai_next) {
                char text[NI_MAXHOST];

                if (getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
                        r = add_once(&a->peers, text);
        }
        freeaddrinfo(found);
        return r;
}

/* ---------------------------------------------------------------------------------- from addresses to interfaces */

/* lo is no device, and has no module. */
static int add_interface(char ***interfaces, const char *name) {
        return streq(name, "lo") ? 0 : add_once(interfaces, name);
}

/* The interface that has an address. Return: 0; negative errno. */
static int add_owners(char *const *locals, char ***interfaces) {
        struct ifaddrs *all = NULL;
        int r = 0;

        if (getifaddrs(&all) < 0)
                return -errno;
        for (struct ifaddrs *i = all; i && r >= 0; i = i->ifa_next) {
                sa_family_t family = i->ifa_addr ? i->ifa_addr->sa_family : AF_UNSPEC;
                char text[INET6_ADDRSTRLEN];
                const void *address;

                if (family != AF_INET && family != AF_INET6)
                        continue;
                address = family == AF_INET
                                  ? (const void *) &((const struct sockaddr_in *) i->ifa_addr)->sin_addr
                                  : (const void *) &((const struct sockaddr_in6 *) i->ifa_addr)->sin6_addr;
                if (inet_ntop(family, address, text, sizeof(text)) && string_list_contains(locals, text))
                        r = add_interface(interfaces, i->ifa_name);
        }
        freeifaddrs(all);
        return r;
}

static int on_route(const struct nlmsghdr *m, void *userdata) {
        const struct rtattr *out = m->nlmsg_type == RTM_NEWROUTE
                                           ? rtnetlink_attribute(m, sizeof(struct rtmsg), RTA_OIF)
                                           : NULL;
        char name[IF_NAMESIZE];
        unsigned index;

        if (!out || RTA_PAYLOAD(out) < sizeof(index))
                return 0;
        memcpy(&index, RTA_DATA(out), sizeof(index));
        return if_indextoname(index, name) ? add_interface(userdata, name) : 0;
}

/* The interface by which packets to an address leave. Return: 0, also if there is no way; -ENOMEM. */
static int add_way(int fd, const char *peer, char ***interfaces) {
        struct {
                struct nlmsghdr header;
                struct rtmsg route;
                struct rtattr attribute;
                unsigned char address[sizeof(struct in6_addr)];
        } request = {
                .header = { .nlmsg_type = RTM_GETROUTE },
                .attribute = { .rta_type = RTA_DST },
        };
        char bare[INET6_ADDRSTRLEN] = "";
        size_t size;
        int r;

        (void) snprintf(bare, sizeof(bare), "%.*s", (int) strcspn(peer, "%"), peer);
        request.route.rtm_family = strchr(bare, ':') ? AF_INET6 : AF_INET;
        if (inet_pton(request.route.rtm_family, bare, request.address) != 1)
                return 0;
        size = request.route.rtm_family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
        request.route.rtm_dst_len = (unsigned char) (size * 8);
        request.attribute.rta_len = (unsigned short) RTA_LENGTH(size);
        request.header.nlmsg_len = (uint32_t) (NLMSG_LENGTH(sizeof(request.route)) + RTA_LENGTH(size));

        r = rtnetlink_ask(fd, &request.header, on_route, interfaces);
        return r == -ENOMEM ? r : 0;
}

/* Those directly below an interface: /sys/class/net/NAME/lower_OTHER. Return: 0; -ENOMEM. */
static int add_directly_below(const char *root, const char *name, char ***interfaces) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        struct dirent *entry;
        int r = 0;

        if (strchr(name, '/') ||
            snprintf(path, sizeof(path), "%s/sys/class/net/%s", root, name) >= (int) sizeof(path))
                return 0;
        dir = opendir(path);
        while (r >= 0 && dir && (entry = readdir(dir)))
                if (startswith(entry->d_name, "lower_"))
                        r = add_interface(interfaces, entry->d_name + strlen("lower_"));
        return r;
}

/**
 * login_add_lower() - add the interfaces that those of a list are made of
 * @root:       what "/" is; "": the real one
 * @interfaces: a StringList
 *
 * A VLAN, a bridge and a bond have links to them. What a tunnel goes through is not among these.
 *
 * Return: 0; -ENOMEM.
 */
int login_add_lower(const char *root, char ***interfaces) {
        assert(root && interfaces);

        for (size_t i = 0; i < INTERFACES_MAX && *interfaces && (*interfaces)[i]; i++) {
                int r = add_directly_below(root, (*interfaces)[i], interfaces);

                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * login_interfaces_new() - the interfaces that the login comes through from which this process was started
 * @ret: a StringList, the caller's; empty if it did not come through the network
 *
 * A user who is not root does not see sshd's connections, but the environment that sshd made.
 *
 * Return: 0; negative errno.
 */
int login_interfaces_new(char ***ret) {
        _cleanup_(login_addresses_clear) LoginAddresses addresses = {};
        _cleanup_(string_list_freep) char **interfaces = NULL;
        _cleanup_(closep) int fd = -EBADF;
        int r;

        assert(ret);

        r = login_addresses_new("", getpid(), &addresses);
        if (r >= 0 && !*addresses.peers)
                r = add_session_peers(&addresses);
        if (r >= 0)
                r = string_list_new(&interfaces);
        if (r >= 0 && *addresses.peers)
                r = add_owners(addresses.locals, &interfaces);
        if (r < 0)
                return r;
        if (*addresses.peers)
                fd = rtnetlink_open();
        for (char **peer = addresses.peers; fd >= 0 && *peer; peer++) {
                r = add_way(fd, *peer, &interfaces);
                if (r < 0)
                        return r;
        }
        r = login_add_lower("", &interfaces);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(interfaces);
        return 0;
}
