// The device tree compiler reads what we write and writes what we read.

import { expect, it } from 'vitest'
import { readDeviceTree } from '../../src/formats/fdt/reader.ts'
import { cells, doubleCells, makeNode, strings } from '../../src/formats/fdt/tree.ts'
import { writeDeviceTree } from '../../src/formats/fdt/writer.ts'
import { describeWithJudge, runJudge } from './judge.ts'

const tree = makeNode('', { '#address-cells': cells(2), '#size-cells': cells(2) }, [
  makeNode('rtas', { 'ibm,configure-kernel-dump': cells(0x202d), 'ibm,extended-os-term': new Uint8Array() }),
  makeNode('memory@0', { device_type: strings('memory'), reg: doubleCells(0, 0x140000000) }),
])

const source = `/dts-v1/;

/ {
	#address-cells = <0x02>;
	#size-cells = <0x02>;

	rtas {
		ibm,configure-kernel-dump = <0x202d>;
		ibm,extended-os-term;
	};

	memory@0 {
		device_type = "memory";
		reg = <0x00 0x00 0x01 0x40000000>;
	};
};
`

describeWithJudge('dtc', 'dtc', () => {
  it('decompiles our blob', () => {
    const text = runJudge('dtc', ['-q', '-I', 'dtb', '-O', 'dts'], writeDeviceTree(tree)).toString()
    expect(text).toBe(source)
  })

  it('compiles a blob that we read', () => {
    const blob = runJudge('dtc', ['-q', '-I', 'dts', '-O', 'dtb', '-p', '64'], Buffer.from(source))
    expect(readDeviceTree(blob, 'dtc')).toEqual(tree)
  })
})
