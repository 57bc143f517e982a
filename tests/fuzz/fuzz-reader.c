/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a manager that was taken over may send to lkmd-reader. The input is a packet a line: a byte from '0' on,
 * whose bits say what is unusual about the packet, and the path:
 *
 *   1 with the flag for a watch     2 with an inotify descriptor     4 of another version     8 cut off     16 foreign
 *
 * Each packet gets one answer, until one is no request, and one of another version the magic number alone. No answer
 * has a file with a secret that is not lkmd's, nor one that can be written.
 */

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "daemon/privileged/reader/reader-protocol.h"
#include "daemon/privileged/reader/reader.h"
#include "reader-bench.h"
#include "support.h"

#define SECRET "SECRET"                 /* what root alone may read, and is no matter of lkmd's */
#define PACKETS_MAX 8U
#define SOMEBODY 65534U

enum {
        WITH_FLAG = 1,
        WITH_WATCH = 2,
        OTHER_VERSION = 4,
        CUT_OFF = 8,
        FOREIGN = 16,
};

static void make_directories(void) {
        reader_bench_directory("/etc/modprobe.d/private", 0700);
        reader_bench_directory("/etc/modprobe.d/open", 0777);
        reader_bench_directory("/etc/lkmd/policy.d", 0700);
        reader_bench_directory("/etc/udev/rules.d", 0700);
        reader_bench_directory("/etc/udev/hwdb.d", 0700);
        reader_bench_directory("/lib/modules/6.12", 0700);
        reader_bench_directory(READER_ELSEWHERE "/private", 0700);
        reader_bench_directory(READER_ELSEWHERE "/lists", 0700);
        reader_bench_link("/etc/lkmd/lists", READER_ELSEWHERE "/lists");
        reader_bench_link("/etc/modprobe.d/out", READER_ELSEWHERE "/private");
        reader_bench_link("/lib/modules/6.12/build", READER_ELSEWHERE "/private");
}

static void make_files(void) {
        static const char *const of_lkmd[] = {
                "/etc/modprobe.d/a.conf",      "/etc/modprobe.d/private/b.conf", "/etc/lkmd/lkmd.conf",
                "/etc/lkmd/policy.d/a.yaml",   "/etc/udev/rules.d/a.rules",      "/etc/udev/hwdb.d/a.hwdb",
                "/lib/modules/6.12/a.ko.xz",   "/lib/modules/6.12/modules.dep",  READER_ELSEWHERE "/lists/a.yaml",
        };
        static const char *const secret[] = {
                "/etc/modprobe.d/a.key",       "/etc/modprobe.d/private/b.key",  "/etc/lkmd/lkmd.key",
                "/etc/lkmd/policy.d/a.conf",   "/etc/udev/udev.conf",            "/etc/udev/rules.d/a.hwdb",
                "/lib/modules/6.12/a.pem",     READER_ELSEWHERE "/secret.conf",  READER_ELSEWHERE "/lists/a.conf",
                READER_ELSEWHERE "/secret.ko", READER_ELSEWHERE "/private/a.ko", READER_ELSEWHERE "/private/a.conf",
                "/etc/modprobe.d/theirs.conf", "/etc/modprobe.d/open/x.conf",
        };

        for (size_t i = 0; i < ARRAY_LEN(of_lkmd); i++)
                reader_bench_file(of_lkmd[i], "x", 0600);
        for (size_t i = 0; i < ARRAY_LEN(secret); i++)
                reader_bench_file(secret[i], SECRET, 0600);
        must(chown("/etc/modprobe.d/theirs.conf", SOMEBODY, SOMEBODY) == 0);
        must(mkfifo("/etc/modprobe.d/fifo.conf", 0600) == 0);
        reader_bench_link("/etc/modprobe.d/secret.conf", READER_ELSEWHERE "/secret.conf");
        reader_bench_link("/etc/modprobe.d/same.conf", "a.conf");
        reader_bench_link("/etc/modprobe.d/loop.conf", "loop.conf");
        reader_bench_link("/etc/modprobe.d/null.conf", "/dev/null");
        reader_bench_link("/lib/modules/6.12/link.ko", READER_ELSEWHERE "/secret.ko");
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        reader_bench_mount();
        make_directories();
        make_files();
        return 0;
}

static void send_packet(int fd, const char *line, size_t size, int watch_fd) {
        static ReaderRequest request;
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = { .header = { .cmsg_level = SOL_SOCKET,
                                  .cmsg_type = SCM_RIGHTS,
                                  .cmsg_len = CMSG_LEN(sizeof(int)) } };
        unsigned how = size > 0 ? (unsigned char) line[0] - '0' : 0;
        struct iovec iov = { .iov_base = &request, .iov_len = sizeof(request) / (how & CUT_OFF ? 2 : 1) };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        request = (ReaderRequest) {
                .magic = (READER_MAGIC + (how & OTHER_VERSION ? 1 : 0)) ^
                         (how & FOREIGN ? READER_MAGIC_FAMILY : 0),
                .flags = how & WITH_FLAG ? READER_WATCH : 0,
        };
        if (size > 1)
                memcpy(request.path, line + 1, MIN(size - 1, sizeof(request.path)));
        if (how & WITH_WATCH) {
                memcpy(CMSG_DATA(&control.header), &watch_fd, sizeof(int));
                message.msg_control = control.bytes;
                message.msg_controllen = sizeof(control.bytes);
        }
        must(sendmsg(fd, &message, MSG_NOSIGNAL) > 0);
}

static void check_file(int fd) {
        char text[sizeof(SECRET)] = "";
        struct stat st;

        must(fstat(fd, &st) == 0 && st.st_uid == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)));
        must((fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH)) == O_RDONLY);
        must(!S_ISREG(st.st_mode) || read(fd, text, sizeof(text) - 1) >= 0);
        must(!streq(text, SECRET));
}

typedef enum Answer {
        NO_ANSWER,
        ANSWER,
        ANSWER_OF_VERSION,
} Answer;

/* Return: what the next answer is. */
static Answer take_answer(int fd) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = {};
        ReaderReply reply;
        struct iovec iov = { .iov_base = &reply, .iov_len = sizeof(reply) };
        struct msghdr message = { .msg_iov = &iov,
                                  .msg_iovlen = 1,
                                  .msg_control = control.bytes,
                                  .msg_controllen = sizeof(control.bytes) };
        struct cmsghdr *c;
        ssize_t n;
        int file_fd;

        do
                n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == ECONNRESET); /* once, if the reader left packets unread */
        if (n <= 0)
                return NO_ANSWER;
        c = CMSG_FIRSTHDR(&message);
        must(reply.magic == READER_MAGIC);
        if (n == sizeof(reply.magic)) {
                must(!c);
                return ANSWER_OF_VERSION;
        }
        must(n == sizeof(reply) && reply.error <= 0 && (reply.error == 0) == (c != NULL));
        if (c) {
                memcpy(&file_fd, CMSG_DATA(c), sizeof(int));
                check_file(file_fd);
                must(close(file_fd) == 0);
        }
        return ANSWER;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        int fds[2], watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), r;
        size_t n_sent = 0, n_answers = 0;
        Answer answer, last = NO_ANSWER;

        must(watch_fd >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
        for (const uint8_t *end; size > 0 && n_sent < PACKETS_MAX; n_sent++) {
                end = memchr(data, '\n', size) ?: data + size;
                send_packet(fds[1], (const char *) data, (size_t) (end - data), watch_fd);
                size -= MIN(size, (size_t) (end - data) + 1);
                data = end + 1;
        }
        must(shutdown(fds[1], SHUT_WR) == 0);
        r = reader_serve(fds[0]);
        must(r == 0 || r == -EBADMSG || r == -EPROTO);
        must(close(fds[0]) == 0);
        while ((answer = take_answer(fds[1])) != NO_ANSWER) {
                must(last != ANSWER_OF_VERSION);
                last = answer;
                n_answers++;
        }
        must(r == -EBADMSG ? n_answers < n_sent : n_answers <= n_sent);
        must(r != 0 || n_answers == n_sent);
        must((r == -EPROTO) == (last == ANSWER_OF_VERSION));
        must(close(fds[1]) == 0 && close(watch_fd) == 0);
        return 0;
}
