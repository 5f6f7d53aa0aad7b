// A fresh folder per test, removed when the test is done.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fadump-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
