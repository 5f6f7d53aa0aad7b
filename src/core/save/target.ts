// Where crashes are delivered to. To add a kind of target: write a file with a TargetKind, add it to
// targetList before `local`, add its test. A target only moves bytes; what a crash consists of is
// index.ts's business.

import type { ByteSink } from '../byte-sink.ts'
import { UsageError } from '../errors.ts'
import { localTarget } from './local.ts'

/** A file that is stored: durable, under its name. */
export interface StoredFile {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** The place of one crash: a directory, a prefix, … */
export interface CrashStore {
  /** Path or URL, for people. */
  readonly location: string
  /**
   * Store a file: `fill` writes it and finishes the sink. When the promise rejects, nothing is there
   * under that name. @throws {TargetError}
   */
  write<T>(name: string, fill: (sink: ByteSink) => Promise<T>): Promise<{ file: StoredFile; result: T }>
}

export interface SaveTarget {
  /** A new place, named `folder` or, where that is taken, a variation of it. @throws {TargetError} */
  begin(folder: string): Promise<CrashStore>
}

export interface TargetKind {
  /** How the command line writes it. */
  readonly example: string
  accepts(target: string): boolean
  /** Checks nothing but the words; connections are made by `begin`. @throws {UsageError} */
  open(target: string): SaveTarget
}

const targetList: readonly TargetKind[] = [localTarget]

/** The target that the command line names. @throws {UsageError} when no kind accepts it. */
export function parseTarget(target: string): SaveTarget {
  const kind = targetList.find((candidate) => candidate.accepts(target))
  if (kind === undefined) {
    throw new UsageError(`no way to save to ${target}`, {
      hint: `known targets: ${targetList.map((known) => known.example).join(', ')}`,
    })
  }
  return kind.open(target)
}
