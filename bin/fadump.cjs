#!/usr/bin/env node
const { existsSync } = require('node:fs')
const { join } = require('node:path')

const program = join(__dirname, '..', 'dist', 'fadump.cjs')
if (existsSync(program)) {
  require(program)
} else {
  process.stderr.write('error: fadump is not built yet\n  hint      run: npm run setup\n')
  process.exitCode = 2
}
