/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

int gate_prove(int proof_fd, const char **ret_hook);
