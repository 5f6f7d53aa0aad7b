// Filters into a file, which gets its name only after it has been read back, or into a stream.

import { openDump } from '../../formats/index.ts'
import { flattenedSink } from '../../formats/flattened/writer.ts'
import type { ByteSink } from '../byte-sink.ts'
import { TargetError } from '../errors.ts'
import { OutputFile } from '../output-file.ts'
import { type DumpPath, type FilterOptions, type FilterResult, filterDump } from './index.ts'

