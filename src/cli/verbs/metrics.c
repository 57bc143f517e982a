/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Metrics: one table says which metric is made of which field of the reply of Status, and how. A row becomes
 * an object {name, type, unit, help, samples}, which --json prints and of which the text is made. Owns
 * nothing.
 *
 * The text is OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/). It uses only what
 * the older text format of Prometheus has too, or takes for a comment: gauges and histograms mean the same
 * in both. OpenMetrics declares the type of a counter without "_total", the old format with it; readers of
 * the old format get the value nevertheless, without a type.
 */

#include "cli/verbs/metrics.h"

#include <assert.h>
#include <inttypes.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/util.h"

typedef struct Metric Metric;

/* Adds to @samples; nothing if the reply has no such field. Return: 0 or negative errno. */
typedef int (*read_samples_t)(const Metric *m, sd_json_variant *status, sd_json_variant **samples);

struct Metric {
        const char *name;               /* with its unit, without "_total" */
        const char *type;               /* of OpenMetrics */
        const char *unit;               /* NULL: it is a number of things, or a yes or no */
        read_samples_t read;
        const char *object;             /* where the field is; NULL: in the reply itself */
        const char *field;
        const char
                *word; /* what read_word() compares with; the label of read_label() and read_histograms() */
        const char *help;
};

/* --------------------------------------------------------------------------------------------- readers */

static sd_json_variant *metric_object(const Metric *m, sd_json_variant *status) {
        return m->object ? field_object(status, m->object) : status;
}

static int add_sample(sd_json_variant **samples, sd_json_variant *value) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *sample = NULL;
        int r;

        r = sd_json_buildo(&sample, SD_JSON_BUILD_PAIR_VARIANT("value", value));
        if (r < 0)
                return r;
        return sd_json_variant_append_array(samples, sample);
}

static int add_unsigned(sd_json_variant **samples, uint64_t value) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        r = sd_json_variant_new_unsigned(&v, value);
        return r < 0 ? r : add_sample(samples, v);
}

static double seconds(uint64_t usec) {
        return (double) usec / (double) USEC_PER_SEC;
}

static int read_up(const Metric *m, sd_json_variant *status, sd_json_variant **samples) {
        return add_unsigned(samples, status != NULL);
}

static int read_number(const Metric *m, sd_json_variant *status, sd_json_variant **samples) {
        uint64_t value;

        return field_unsigned(metric_object(m, status), m->field, &value) ? add_unsigned(samples, value) : 0;
}

static int read_time(const Metric *m, sd_json_variant *status, sd_json_variant **samples) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        uint64_t usec;
        int r;

        if (!field_unsigned(metric_object(m, status), m->field, &usec))
                return 0;
        r = sd_json_variant_new_real(&v, seconds(usec));
        return r < 0 ? r : add_sample(samples, v);
}

static int read_bool(const Metric *m, sd_json_variant *status, sd_json_variant **samples) {
        sd_json_variant *v = sd_json_variant_by_key(metric_object(m, status), m->field);

        return sd_json_variant_is_boolean(v) ? add_unsigned(samples, sd_json_variant_boolean(v)) : 0;
}

/* Is the field this very word? */
static int read_word(const Metric *m, sd_json_variant *status, sd_json_variant **samples) {
        const char *s = field_string(metric_object(m, status), m->field);

        return s ? add_unsigned(samples, streq(s, m->word)) : 0;
}

/* How many elements has the array? */
static int read_elements(const Metric *m, sd_json_variant *status, sd_json_variant **samples) {
        sd_json_variant *object = metric_object(m, status);

        return field_array(object, m->field) ? add_unsigned(samples, field_elements(object, m->field)) : 0;
}

/* A text becomes a label, and the value is always 1. */
static int read_label(const Metric *m, sd_json_variant *status, sd_json_variant **samples) {
        const char *s = field_string(metric_object(m, status), m->field);
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *sample = NULL, *labels = NULL;
        int r;

        if (!s)
                return 0;
        r = sd_json_variant_set_field_string(&labels, m->word, s);
        if (r >= 0)
                r = sd_json_buildo(&sample, SD_JSON_BUILD_PAIR_VARIANT("labels", labels),
                                   SD_JSON_BUILD_PAIR_UNSIGNED("value", 1));
        return r < 0 ? r : sd_json_variant_append_array(samples, sample);
}

static int read_buckets(sd_json_variant *array, uint64_t count, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *buckets = NULL;
        uint64_t usec;
        int r;

        r = sd_json_variant_new_array(&buckets, NULL, 0);
        if (r < 0)
                return r;
        ARRAY_FOREACH_INDEX(array, i) {
                sd_json_variant *from = sd_json_variant_by_index(array, i);
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *bucket = NULL;

                if (!field_unsigned(from, "leUSec", &usec))
                        continue;
                r = sd_json_buildo(&bucket, SD_JSON_BUILD_PAIR_REAL("le", seconds(usec)),
                                   SD_JSON_BUILD_PAIR_UNSIGNED("count",
                                                               MIN(field_number(from, "count"), count)));
                if (r >= 0)
                        r = sd_json_variant_append_array(&buckets, bucket);
                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(buckets);
        return 0;
}

/* An array of histograms, each with a label of its own. */
static int read_histograms(const Metric *m, sd_json_variant *status, sd_json_variant **samples) {
        sd_json_variant *array = field_array(metric_object(m, status), m->field);

        ARRAY_FOREACH_INDEX(array, i) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *sample = NULL, *labels = NULL;
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *buckets = NULL;
                sd_json_variant *from = sd_json_variant_by_index(array, i);
                const char *label = field_string(from, m->word);
                uint64_t count;
                int r;

                if (!label || !field_unsigned(from, "count", &count))
                        continue;
                r = sd_json_variant_set_field_string(&labels, m->word, label);
                if (r >= 0)
                        r = read_buckets(field_array(from, "buckets"), count, &buckets);
                if (r >= 0)
                        r = sd_json_buildo(&sample, SD_JSON_BUILD_PAIR_VARIANT("labels", labels),
                                           SD_JSON_BUILD_PAIR_UNSIGNED("count", count),
                                           SD_JSON_BUILD_PAIR_REAL("sum",
                                                                   seconds(field_number(from, "sumUSec"))),
                                           SD_JSON_BUILD_PAIR_VARIANT("buckets", buckets));
                if (r >= 0)
                        r = sd_json_variant_append_array(samples, sample);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ----------------------------------------------------------------------------------------------- table */

#define COUNTER(name, field, help) { name, "counter", NULL, read_number, "counters", field, NULL, help }
#define GAUGE(name, read, field, help) { name, "gauge", NULL, read, NULL, field, NULL, help }

static const Metric table[] = {
        { "lkmd_up", "gauge", NULL, read_up, NULL, NULL, NULL,
          "Whether lkmd answers; while it does not, no other metric is there" },
        { "lkmd_build_info", "gauge", NULL, read_label, NULL, "version", "version", "Version of lkmd, always 1" },
        { "lkmd_start_time_seconds", "gauge", "seconds", read_time, NULL, "startedUSec", NULL,
          "When lkmd started, since 1970" },

        { "lkmd_in_charge", "gauge", NULL, read_word, NULL, "inCharge", "lkmd",
          "Whether lkmd alone loads drivers for devices; 0: udev does so as well" },
        GAUGE("lkmd_index_complete", read_bool, "indexComplete",
              "Whether there is a module directory with an index; 0: nothing can be loaded"),
        GAUGE("lkmd_coldplug_done", read_bool, "coldplugDone",
              "Whether all devices that were there before lkmd have been looked at"),
        GAUGE("lkmd_idle", read_bool, "idle", "Whether nothing is queued or running"),
        GAUGE("lkmd_jobs_queued", read_number, "queued", "Modules that wait for their turn"),
        GAUGE("lkmd_jobs_running", read_elements, "running", "Loads and removals under way"),
        { "lkmd_jobs_queued_max", "gauge", NULL, read_number, "counters", "queueHighWater", NULL,
          "The most modules that waited for their turn at once since the start" },
        GAUGE("lkmd_modules_loaded", read_number, "modulesLoaded", "Modules in the kernel"),
        GAUGE("lkmd_modules_known", read_number, "modulesKnown", "Modules in the index"),
        GAUGE("lkmd_aliases_known", read_number, "aliasesKnown", "Alias patterns in the index"),
        GAUGE("lkmd_modules_failed", read_elements, "failures",
              "Modules whose latest load or removal failed, of the latest few failures"),
        GAUGE("lkmd_problems", read_elements, "problems", "Problems with files that lkmd reads"),

        COUNTER("lkmd_events", "events", "Uevents of the kernel"),
        COUNTER("lkmd_events_coalesced", "coalesced",
                "Repeated events of one device that were looked at as one"),
        COUNTER("lkmd_event_losses", "lost", "Times that events were lost"),
        COUNTER("lkmd_events_backed_off", "backedOff",
                "Events held back, of devices that come and go for ever"),
        COUNTER("lkmd_rescans", "rescans", "Walks over all devices after the first"),
        COUNTER("lkmd_coldplug_devices", "coldplugDevices", "Devices looked at in walks over all devices"),
        COUNTER("lkmd_lookups", "lookups", "Look-ups in the module index"),
        COUNTER("lkmd_requests", "requests",
                "Requests of clients, and of devices for which there was something to load"),
        COUNTER("lkmd_loads", "loads", "Modules loaded"),
        COUNTER("lkmd_unloads", "unloads", "Modules removed"),
        COUNTER("lkmd_joins", "joins", "Requests for a module that joined a load or removal under way"),
        COUNTER("lkmd_failures", "failures", "Loads and removals that failed"),
        COUNTER("lkmd_kept_out", "keptOut", "Modules kept out by their install command, which ended with an error"),
        COUNTER("lkmd_slow_jobs", "slow", "Loads and removals that took longer than SlowLoadSec="),
        COUNTER("lkmd_denied", "denied", "Modules left out of requests because the policy or modprobe.d denies them"),
        COUNTER("lkmd_would_deny", "wouldDeny",
                "Modules that would have been left out if what is in audit mode were enforced"),
        COUNTER("lkmd_gate_refused", "gateRefused", "Refusals inside the kernel of which the gate told lkmd; of many alike it tells once a second"),
        COUNTER("lkmd_gate_lost", "gateLost", "Events of the gate for which it had no room"),

        { "lkmd_phase_seconds", "histogram", "seconds", read_histograms, NULL, "phases", "phase",
          "Duration of each phase from an event to a loaded module" },
};

/**
 * metrics_of_status() - the metrics as JSON, for --json and metrics_print()
 * @status: reply of Status; NULL: lkmd does not answer
 * @ret:    array of objects {name, type, unit, help, samples}, without those whose field the reply lacks
 *
 * Return: 0 or what sd-json says.
 */
int metrics_of_status(sd_json_variant *status, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *metrics = NULL;

        assert(ret);

        for (size_t i = 0; i < ARRAY_LEN(table); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *samples = NULL, *metric = NULL;
                const Metric *m = table + i;
                int r;

                r = m->read(m, status, &samples);
                if (r >= 0 && !samples)
                        continue;
                if (r >= 0)
                        r = sd_json_buildo(&metric, SD_JSON_BUILD_PAIR_STRING("name", m->name),
                                           SD_JSON_BUILD_PAIR_STRING("type", m->type),
                                           SD_JSON_BUILD_PAIR_CONDITION(m->unit != NULL, "unit",
                                                                        SD_JSON_BUILD_STRING(m->unit)),
                                           SD_JSON_BUILD_PAIR_STRING("help", m->help),
                                           SD_JSON_BUILD_PAIR_VARIANT("samples", samples));
                if (r >= 0)
                        r = sd_json_variant_append_array(&metrics, metric);
                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(metrics);
        return 0;
}

/* ------------------------------------------------------------------------------------------------ text */

/* "0.0001", "1.0", "60.0": the form that OpenMetrics asks of the bounds of buckets. */
static void print_real(FILE *f, double value) {
        char text[64];
        size_t n = (size_t) snprintf(text, sizeof(text), "%.6f", value);

        while (n > 2 && text[n - 1] == '0' && text[n - 2] != '.')
                n--;
        (void) fprintf(f, "%.*s", (int) n, text);
}

static void print_value(FILE *f, sd_json_variant *value) {
        if (sd_json_variant_is_unsigned(value))
                (void) fprintf(f, " %" PRIu64 "\n", sd_json_variant_unsigned(value));
        else {
                (void) fputc(' ', f);
                print_real(f, sd_json_variant_real(value));
                (void) fputc('\n', f);
        }
}

/* The text came over a socket: control characters and what would end the quotes are escaped. */
static void print_label(FILE *f, const char *name, const char *value) {
        _cleanup_(freep) char *clean = NULL;

        (void) fprintf(f, "%s=\"", name);
        if (text_escape(value, &clean) >= 0)
                for (const char *p = clean; *p; p++) {
                        if (*p == '\\' || *p == '"')
                                (void) fputc('\\', f);
                        (void) fputc(*p, f);
                }
        (void) fputc('"', f);
}

/*
 * NAME SUFFIX {LABELS, LE}, where nothing stands in braces if there is neither.
 * @le: bound of a bucket in seconds; 0: it is no bucket; negative: the bucket without a bound
 */
static void print_series(FILE *f, const char *name, const char *suffix, sd_json_variant *labels, double le) {
        size_t n = labels ? sd_json_variant_elements(labels) / 2 : 0;

        (void) fprintf(f, "%s%s", name, suffix);
        if (n == 0 && le == 0)
                return;
        (void) fputc('{', f);
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        (void) fputc(',', f);
                print_label(f, sd_json_variant_string(sd_json_variant_by_index(labels, 2 * i)),
                            sd_json_variant_string(sd_json_variant_by_index(labels, 2 * i + 1)));
        }
        if (le != 0) {
                (void) fprintf(f, "%sle=\"", n > 0 ? "," : "");
                if (le < 0)
                        (void) fputs("+Inf", f);
                else
                        print_real(f, le);
                (void) fputc('"', f);
        }
        (void) fputc('}', f);
}

static void print_histogram(FILE *f, const char *name, sd_json_variant *sample) {
        sd_json_variant *labels = field_object(sample, "labels"), *buckets = field_array(sample, "buckets");
        sd_json_variant *count = sd_json_variant_by_key(sample, "count");

        ARRAY_FOREACH_INDEX(buckets, i) {
                sd_json_variant *bucket = sd_json_variant_by_index(buckets, i);

                print_series(f, name, "_bucket", labels,
                             sd_json_variant_real(sd_json_variant_by_key(bucket, "le")));
                print_value(f, sd_json_variant_by_key(bucket, "count"));
        }
        print_series(f, name, "_bucket", labels, -1);
        print_value(f, count);
        print_series(f, name, "_sum", labels, 0);
        print_value(f, sd_json_variant_by_key(sample, "sum"));
        print_series(f, name, "_count", labels, 0);
        print_value(f, count);
}

static void print_sample(FILE *f, const char *name, const char *type, sd_json_variant *sample) {
        if (streq(type, "histogram")) {
                print_histogram(f, name, sample);
                return;
        }
        print_series(f, name, streq(type, "counter") ? "_total" : "", field_object(sample, "labels"), 0);
        print_value(f, sd_json_variant_by_key(sample, "value"));
}

/* OpenMetrics, of what metrics_of_status() made. */
void metrics_print(FILE *f, sd_json_variant *metrics) {
        assert(f);

        ARRAY_FOREACH_INDEX(metrics, i) {
                sd_json_variant *metric = sd_json_variant_by_index(metrics, i);
                sd_json_variant *samples = field_array(metric, "samples");
                const char *name = field_string(metric, "name"), *type = field_string(metric, "type");
                const char *unit = field_string(metric, "unit");

                (void) fprintf(f, "# TYPE %s %s\n", name, type);
                if (unit)
                        (void) fprintf(f, "# UNIT %s %s\n", name, unit);
                (void) fprintf(f, "# HELP %s %s\n", name, field_string(metric, "help"));
                ARRAY_FOREACH_INDEX(samples, k)
                        print_sample(f, name, type, sd_json_variant_by_index(samples, k));
        }
        (void) fputs("# EOF\n", f);
}
