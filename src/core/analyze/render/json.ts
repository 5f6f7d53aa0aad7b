import { printableJson } from '../../printable.ts'
import type { Report } from '../report.ts'

/** The report as it stands, see docs/schema/report.schema.json; no newline at the end. */
export const renderJson = (report: Report): string => printableJson(report)
