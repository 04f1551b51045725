/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where things are when nobody says: the data folder and the kubeconfig. */
#include "base/arena.h"

/* TAUT_DATA, else XDG_DATA_HOME/taut, else ~/.local/share/taut; the demo's has "-demo" behind. */
str path_data_dir(struct arena *arena, bool demo);
/* TAUT_KUBECONFIG, else admin.kubeconfig of the data folder, else of the demo's; "" = none. */
str path_kubeconfig(struct arena *arena);
/* The folder and its parents, mode 0700. */
MUST_USE bool path_make_dir(str dir, struct err *err);
/* Written aside and renamed, with this mode. */
MUST_USE bool path_write_file(str path, str bytes, unsigned mode, struct err *err);
