// The commands, in the order help shows them. To add one: write the file, add a line here, add its
// test. A command's module is loaded only when it runs or its help is shown.

import type { Command } from 'commander'
import type { Ui } from '../ui/output.ts'

export interface CommandEntry {
  readonly name: string
  readonly summary: string
  load(): Promise<(ui: Ui) => Command>
}

export const commandList: readonly CommandEntry[] = [
  {
    name: 'create',
    summary: 'make a machine from a dump or blank',
    load: async () => (await import('./create.ts')).createCommand,
  },
  {
    name: 'register',
    summary: 'reserve memory and register the dump',
    load: async () => (await import('./register.ts')).registerCommand,
  },
  {
    name: 'trigger',
    summary: 'crash a registered machine',
    load: async () => (await import('./trigger.ts')).triggerCommand,
  },
  {
    name: 'boot-capture',
    summary: 'boot the capture kernel and export the dump',
    load: async () => (await import('./boot-capture.ts')).bootCaptureCommand,
  },
  {
    name: 'gen-elfcorehdr',
    summary: 'show or write the ELF core header',
    load: async () => (await import('./gen-elfcorehdr.ts')).genElfcorehdrCommand,
  },
  {
    name: 'filter',
    summary: 'copy a dump without the pages that are seldom needed',
    load: async () => (await import('./filter/index.ts')).filterCommand,
  },
  {
    name: 'save',
    summary: 'filter a dump and deliver it with its log and report',
    load: async () => (await import('./save.ts')).saveCommand,
  },
  {
    name: 'analyze',
    summary: 'say what a kernel died of',
    load: async () => (await import('./analyze.ts')).analyzeCommand,
  },
  {
    name: 'status',
    summary: 'show a machine, its reservation and messages',
    load: async () => (await import('./status.ts')).statusCommand,
  },
  {
    name: 'release',
    summary: 'give up a dump and its memory',
    load: async () => (await import('./release.ts')).releaseCommand,
  },
  {
    name: 'demo',
    summary: 'show all of it on the memory of a real machine',
    load: async () => (await import('./demo.ts')).demoCommand,
  },
]
