/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A small program, a line for each deed, that plays up to four clients of one manager and what happens around
 * them: the service takes all of it without a crash, answers each call at most once and nobody else, says
 * nothing that could not be shown, and forgets every client that is gone. C is a client, 0 to 3:
 *
 *   +CW                connect, W: a(dmin), n(obody), else root
 *   -C  /C             hang up, no more from this client
 *   mCFM{PARAMETERS}   call: F is a digit of the flags oneway (1), more (2) and upgrade (4), M a letter of methods[]
 *   >CTEXT             these bytes and a NUL                 ]CTEXT  these bytes alone, half a message
 *   <C                 read what there is
 *   .                  turn the loop until nothing is ready  ,   turn it once
 *   tN                 10^N microseconds pass
 *   dADD pci MODALIAS  the device announces itself           w0  w1  it loses, gets its driver
 *   kMS                the kernel shows module M as S: l(ive), c(oming), g(oing), or none
 *   uM                 and announces it
 *   lh  lr             the loader holds its answers, and stops doing so
 *   laN                the loader answers the oldest request with errno N
 *   lx  lgTEXT         the loader hangs up, or sends this
 *   r                  reload       pTEXT  a problem is found      nTEXT  a device is noisy
 *
 * An upper-case deed is what the lower-case one is, with the loop turned until nothing is ready after it.
 */

#include <ctype.h>

#include "client.h"
#include "daemon/base/module-state.h"
#include "mutate-lines.h"
#include "support.h"
#include "world.h"

#define CLIENTS 4U
#define LINES_MAX 64U

#define RELOADS_MAX 2U                  /* they take as long as all else */

const char *const fuzz_known_lines[] = {
        "+0",
        "+1",
        "+1n",
        "+2a",
        "M12f{}",
        "M20e{\"name\":\"a\",\"parameters\":[\"x=1\"]}",
        "-0",
        "-1",
        "/0",
        "<0",
        ".",
        ",",
        "t3",
        "t6",
        "t8",
        "r",
        "nx",
        "Nx",
        "ppolicy",
        "lh",
        "lr",
        "la0",
        "laN",
        "lx",
        "kal",
        "ka",
        "ua",
        "w1",
        "Dadd pci pci:a",
        "Dremove pci pci:a",
        "M00a{}",
        "M00b{\"name\":\"a\"}",
        "M00c{\"module\":\"d\",\"verdict\":\"allow\",\"reason\":\"r\",\"forUSec\":1000}",
        "M00d{}",
        "M00e{\"name\":\"a\"}",
        "M01e{\"name\":\"c\"}",
        "M02e{\"name\":\"e\",\"parameters\":[\"x=1\"]}",
        "M02f{}",
        "M12f{}",
        "M00g{}",
        "M00h{\"id\":\"grant-1\"}",
        "M00i{}",
        "M00j{\"name\":\"a\"}",
        "M01j{\"name\":\"a\"}",
        "M00k{\"idle\":true}",
        "M01k{\"module\":\"a\",\"timeoutUSec\":1000}",
        "M00k{\"module\":\"a\",\"timeoutUSec\":1000000}",
        "M00k{\"device\":\"/devices/pci0/x\",\"timeoutUSec\":1000}",
        "M00m{}",
        NULL
};

static World world;
static unsigned n_reloads;
static FuzzClient clients[CLIENTS];

static void announce_device(char *text) {
        const char *action = strsep(&text, " "), *subsystem = strsep(&text, " "), *modalias = text;
        DeviceFacts facts = {
                .action = action, .subsystem = subsystem, .sysname = "x", .modalias = modalias,
        };

        manager_take_uevent(world.manager, &facts, WORLD_DEVICE);
        waits_check_soon(world.context->waits);
}

static void announce_module(char letter) {
        const char name[] = { letter, '\0' };

        if (module_state_read(name) == MODULE_LIVE)
                scheduler_note_live(world.context->scheduler, name);
        else
                ledger_module_gone(world.context->ledger, name);
        waits_check_soon(world.context->waits);
}

static bool is_module(char letter) {
        return letter != '\0' && strchr(WORLD_MODULES, letter);
}

static void set_module(const char *text) {
        const char *state = text[1] == 'l' ? "live" : text[1] == 'c' ? "coming" : text[1] == 'g' ? "going" : NULL;

        world_set_module(&world, text[0], state);
}

static void do_loader(const char *text) {
        if (!fake_loader_is_connected(world.loader))
                return;
        switch (text[0]) {
        case 'h':
        case 'r':
                fake_loader_hold(world.loader, text[0] == 'h');
                break;
        case 'a':
                world_answer_oldest(&world, -(atoi(text + 1) & 127));
                break;
        case 'x':
                fake_loader_hang_up(world.loader);
                break;
        case 'g':
                fake_loader_send(world.loader, text + 1, strlen(text + 1));
                break;
        default:
                break;
        }
}

static void reload(void) {
        ProblemList problems = {};
        int r = manager_reload(world.manager, &problems);

        must(r >= 0 || r == -EBADMSG);
        problem_list_clear(&problems);
}

/* What happens around the clients. */
static void do_event(char deed, char *text) {
        static const uint64_t steps[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000 };

        switch (deed) {
        case '.':
                world_settle(&world);
                break;
        case ',':
                world_turn(&world);
                break;
        case 't':
                if (isdigit((unsigned char) text[0]))
                        fuzz_clock_step(steps[text[0] - '0']);
                break;
        case 'd':
                announce_device(text);
                break;
        case 'w':
                world_set_driver(&world, text[0] == '1');
                break;
        case 'k':
                if (is_module(text[0]))
                        set_module(text);
                break;
        case 'u':
                if (is_module(text[0]))
                        announce_module(text[0]);
                break;
        case 'l':
                do_loader(text);
                break;
        case 'r':
                reload();
                break;
        case 'p':
                monitors_problem(world.context->monitors, &(Problem) { .file = text, .line = 1, .message = text });
                break;
        case 'n':
                monitors_message(world.context->monitors, "noisy", "a device is noisy");
                break;
        default:
                break;
        }
}

static void connect_client(FuzzClient *c, char who) {
        if (c->fd >= 0)
                return;
        fuzz_client_take(c, world_connect(&world, who == 'n' ? 65534 : who == 'a' ? 1000 : 0,
                                          who == 'n' ? 65534 : who == 'a' ? WORLD_ADMIN_GID : 0));
        c->is_admin = who != 'n';
}

static void do_client(FuzzClient *c, char deed, char *text) {
        switch (deed) {
        case '+':
                connect_client(c, *text);
                break;
        case '-':
                fuzz_client_hang_up(c);
                break;
        case '/':
                fuzz_client_shut_down(c);
                break;
        case 'm':
                fuzz_client_call(c, text);
                break;
        case '>':
        case ']':
                fuzz_client_send(c, text, strlen(text) + (deed == '>'));
                break;
        case '<':
                fuzz_client_read(c);
                break;
        default:
                break;
        }
}

static void do_line(char *line) {
        char deed = (char) tolower((unsigned char) line[0]);

        if (deed == '\0')
                return;
        if ((deed == 'r' || (deed == 'm' && strlen(line) > 3 && line[3] == 'g')) && ++n_reloads > RELOADS_MAX)
                return;
        if (strchr("+-/m>]<", deed)) {
                if (line[1] >= '0' && line[1] < (char) ('0' + CLIENTS))
                        do_client(clients + (line[1] - '0'), deed, line + 2);
        } else
                do_event(deed, line + 1);
        if (deed != line[0])
                world_settle(&world);
}

/* Whatever clients left behind goes with them. */
static void end_clients(void) {
        for (size_t i = 0; i < CLIENTS; i++)
                fuzz_client_read(clients + i);
        for (size_t i = 0; i < CLIENTS; i++)
                fuzz_client_hang_up(clients + i);
        world_settle(&world);
        must(monitors_is_empty(world.context->monitors));
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        fuzz_look_for_leaks_seldom(argc, argv);
        world_open(&world);
        for (size_t i = 0; i < CLIENTS; i++)
                clients[i] = (FuzzClient) { .fd = -EBADF };
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = fuzz_text(data, size);
        char *rest = text, *line;

        n_reloads = 0;
        for (unsigned n = 0; n < LINES_MAX && (line = strsep(&rest, "\n")); n++)
                do_line(line);
        end_clients();
        world_restore(&world);
        return 0;
}
