"""Seconds to read a workbook of training records against bare openpyxl iteration of the same file. One JSON line.

python benchmarks/bench_corpus.py [--rows N] [--bad SHARE] [--repeats R]

Every bad row must be reported by sheet and row and nothing else may be; the program ends with 1 when it is not so.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from openpyxl import Workbook, load_workbook

from benchmarks.setting import commit, machine
from corpus.reader import ReadDocument, read_document

BAD_CELLS: tuple[tuple[int, object], ...] = ((0, "3/4/2025"), (3, -5), (3, "heavy"), (4, "lots"), (5, "maybe"), (2, ""))
"""Column and content of what makes a row bad."""


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "training log.xlsx"
        bad = write_log(path, options.rows, options.bad)
        reads: list[ReadDocument] = []
        before_s = processor_s()
        ours = [seconds(lambda: reads.append(read_document(path, salt=b"benchmark"))) for _ in range(options.repeats)]
        cpu_s = (processor_s() - before_s) / options.repeats
        bare = [seconds(lambda: iterate(path)) for _ in range(options.repeats)]
    is_exact = {problem.place for problem in reads[0].problems} == bad and len(reads[0].problems) == len(bad)
    result = {
        "name": "corpus",
        "n": options.repeats,
        "rows": options.rows,
        "bad_rows": len(bad),
        "passages": len(reads[0].passages),
        "bad_rows_all_named": is_exact,
        "median_s": round(statistics.median(ours), 3),
        "p95_s": round(sorted(ours)[int(0.95 * (len(ours) - 1) + 0.5)], 3),
        "cpu_s": round(cpu_s, 3),
        "openpyxl_s": round(statistics.median(bare), 3),
        "ratio": round(statistics.median(ours) / statistics.median(bare), 2),
        "machine": machine(),
        "commit": commit(),
    }
    print(json.dumps(result))
    raise SystemExit(0 if is_exact and len(reads[0].passages) == options.rows - len(bad) else 1)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000, help="training records in two sheets")
    parser.add_argument("--bad", type=float, default=0.03, help="share of rows that hold a mistake")
    parser.add_argument("--repeats", type=int, default=3, help="readings of the same file")
    return parser.parse_args()


def write_log(path: Path, n_rows: int, share_bad: float) -> set[str]:
    """Write a log of thirty athletes in two sheets and return the places of its bad rows."""
    chance = random.Random(3)
    bad_rows = set(chance.sample(range(n_rows), round(share_bad * n_rows)))
    workbook = Workbook(write_only=True)
    places = set()
    for title, rows in (("2024", range(n_rows // 2)), ("2025", range(n_rows // 2, n_rows))):
        sheet = workbook.create_sheet(title)
        sheet.append(["日期", "運動員", "項目", "重量 (kg)", "組數×次數", "成功/失敗", "備註"])
        for number, i in enumerate(rows, 2):
            cells: list[object] = [
                date(int(title), 1, 1) + timedelta(days=chance.randrange(365)),
                f"選手{chance.randrange(30):02d}",
                chance.choice(["抓舉", "挺舉", "高翻", "前蹲", "寬拉"]),
                chance.randrange(40, 200) + chance.choice([0, 0.5]),
                f"{chance.randrange(1, 7)}x{chance.randrange(1, 6)}",
                chance.choice(["成功", "失敗"]),
                f"第 {i} 筆，槓鈴貼近身體，接槓穩定",
            ]
            if i in bad_rows:
                column, content = chance.choice(BAD_CELLS)
                cells[column] = content
                places.add(f"sheet {title}, row {number}")
            sheet.append(cells)
    workbook.save(path)
    return places


def iterate(path: Path) -> None:
    workbook = load_workbook(path, read_only=True)
    for sheet in workbook.worksheets:
        for _ in sheet.iter_rows(values_only=True):
            pass


def processor_s() -> float:
    """Return the processor time that this process and its ended children have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
