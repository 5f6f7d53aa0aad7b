// What a worker thread runs; bundled on its own (scripts/build.mjs).

import { serveWork } from '../worker-pool.ts'
import { startBlockWork } from './block-work.ts'

serveWork(startBlockWork)
