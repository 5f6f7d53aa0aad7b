// The source of a filter, as the options want it read.

import { eraseDump } from '../../core/filter/erase.ts'
import { readEraseConfig } from '../../core/filter/erase-config.ts'
import type { Dump } from '../../formats/dump.ts'
import type { Options } from './options.ts'

/** The dump without what --config names. It is closed with `dump`. */
export const erasedAsAsked = (dump: Dump, { config }: Options): Dump =>
  config === undefined ? dump : eraseDump(dump, readEraseConfig(config))
