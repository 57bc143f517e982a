/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lkmd-handover does to files; @root is a prefix of their paths for tests, "" for none. */

int handover_mask(const char *root);
int handover_unmask(const char *root);
