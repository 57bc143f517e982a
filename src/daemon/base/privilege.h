/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Privilege: what is left of root's rights is given up. */

int privilege_drop(void);
