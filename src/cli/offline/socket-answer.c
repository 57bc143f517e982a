/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SocketAnswer: see socket-answer.h. Asks the table that lkmd gives to the gate, so that it cannot differ from it. */

#include "cli/offline/socket-answer.h"

#include <assert.h>

#include "cli/offline/trace.h"
#include "cli/print/format.h"
#include "cli/print/policy-text.h"
#include "common/base/limits.h"
#include "common/base/number.h"
#include "common/plan/plan-json.h"
#include "common/policy/gate-table.h"

typedef struct Socket {
        int family;
        int protocol;                   /* -1: any */
        int type;                       /* 0: any */
} Socket;

/* Takes @word, where '-' and '_' are alike, and the number behind it. */
static bool take_part(const char **text, const char *word, uint64_t max, int *ret) {
        const char *p = *text;
        uint64_t n;

        for (; *word; word++, p++)
                if (*p != *word && !(*word == '_' && *p == '-'))
                        return false;
        if (number_take(&p, max, &n) < 0)
                return false;
        *ret = (int) n;
        *text = p;
        return true;
}

/* net-pf-FAMILY, net-pf-FAMILY-proto-PROTOCOL, and the latter with -type-TYPE */
static bool parse_socket(Socket *ret, const char *key) {
        Socket s = { .protocol = -1 };

        if (!take_part(&key, "net_pf_", GATE_FAMILY_MAX, &s.family))
                return false;
        if (*key != '\0' && !take_part(&key, "_proto_", INT32_MAX, &s.protocol))
                return false;
        if (*key != '\0' && !take_part(&key, "_type_", GATE_TYPE_MAX, &s.type))
                return false;
        *ret = s;
        return *key == '\0';
}

/* For all users: those of a class are treated alike. */
static void ask_for_all(SocketAnswer *a, const GateTable *t, const Socket *s) {
        size_t n = 0;

        for (size_t i = 0; i < t->n_classes; i++)
                n += gate_table_refuses_socket(t, s->family, s->type, s->protocol, t->uid_starts[i],
                                               &a->rule);
        a->verdict = n == t->n_classes ? POLICY_DENY : POLICY_ALLOW;
        a->depends = n > 0 && n < t->n_classes;
}

/**
 * socket_answer_find() - may the requester have the socket that the alias is about?
 * @requester: of another origin than the kernel it is about no socket
 *
 * Return: 0; -ENOMEM.
 */
int socket_answer_find(SocketAnswer *ret, const OfflinePolicy *policy, const char *key,
                       const PolicyRequester *requester) {
        _cleanup_(gate_table_freep) GateTable *t = NULL;
        SocketAnswer a = {};
        Socket s;
        int r;

        assert(ret && policy && key && requester);

        *ret = a;
        if (requester->origin != ORIGIN_KERNEL || !parse_socket(&s, key))
                return 0;
        r = gate_table_new(&t, policy->policy, policy->now_usec);
        if (r < 0)
                return r;
        if (!requester->has_uid)
                ask_for_all(&a, t, &s);
        else
                a.verdict = gate_table_refuses_socket(t, s.family, s.type, s.protocol, requester->uid,
                                                      &a.rule)
                                    ? POLICY_DENY
                                    : POLICY_ALLOW;
        *ret = a;
        return 0;
}

bool socket_answers_are_the_same(const SocketAnswer *a, const SocketAnswer *b) {
        assert(a && b);

        return socket_answer_says_something(a) == socket_answer_says_something(b) &&
               a->depends == b->depends && a->rule == b->rule;
}

/* Is there more to say of it than that it is allowed? */
bool socket_answer_says_something(const SocketAnswer *a) {
        assert(a);

        return a->verdict == POLICY_DENY || a->depends;
}

/* "the socket itself is refused, whether its module is loaded or not, by FILE:LINE:COLUMN (ID): REASON" */
void socket_answer_print(const SocketAnswer *a, FILE *f, const char *indent) {
        PolicyRuling what;

        assert(a && f && indent);

        if (!socket_answer_says_something(a))
                return;
        what = policy_ruling_of(a->rule);
        (void) fputs(indent, f);
        if (a->depends)
                (void) fputs("not known here: uid; the socket itself is refused to some users", f);
        else
                (void) fputs("the socket itself is refused, whether its module is loaded or not,", f);
        (void) fputs(" by ", f);
        print_ruling_place(f, &what);
        if (what.id) {
                (void) fputs(" (", f);
                print_escaped(f, what.id);
                (void) fputc(')', f);
        }
        if (what.reason) {
                (void) fputs(": ", f);
                print_escaped(f, what.reason);
        }
        (void) fputc('\n', f);
}

/* The ruling, and "verdict": deny, allow or depends. *ret: NULL: the alias is about no socket. */
int socket_answer_to_json(const SocketAnswer *a, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r = 0;

        assert(a && ret);

        *ret = NULL;
        if (a->verdict == POLICY_NO_VERDICT)
                return 0;
        if (socket_answer_says_something(a)) {
                PolicyRuling what = policy_ruling_of(a->rule);

                r = plan_ruling_to_json(&(PlanRuling) { .source = what.source,
                                                        .file = (char *) what.file,
                                                        .line = what.line,
                                                        .column = what.column,
                                                        .rule = (char *) what.id,
                                                        .reason = (char *) what.reason },
                                        &v);
        }
        if (r >= 0)
                r = sd_json_variant_set_field_string(
                        &v, "verdict", a->depends ? "depends" : policy_verdict_to_string(a->verdict));
        if (r < 0)
                return r;
        *ret = STEAL_PTR(v);
        return 0;
}
