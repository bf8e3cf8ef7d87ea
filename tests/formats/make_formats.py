"""Makes the small inputs of the reader tests: each family's files, written the way that family writes them.

    python tests/formats/make_formats.py

Standard library only. The shapes (names, columns, tables, oddities) are those of files that the real programs wrote;
the numbers are made up by :func:`loss`, so that a test can compute what a reader must find. README.md tells of each.
"""

from __future__ import annotations

import json
import math
import sqlite3
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def loss(step: float) -> float:
    """The training loss of every made log."""
    return round(0.7 * math.exp(-step / 10) + 0.05, 6)


def held_out(step: float) -> float:
    """The held-out loss of every made log."""
    return round(loss(step) + 0.1, 6)


def rate(step: float) -> float:
    """The learning rate of every made log."""
    return round(5e-4 * (1 - step / 20), 9)


def text(path: str, content: str) -> None:
    file = HERE / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")


def lines(path: str, rows: Iterable[Any]) -> None:
    text(path, "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))


def archive(path: str, members: dict[str, str]) -> None:
    file = HERE / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as inner:
        for name, content in members.items():
            inner.writestr(zipfile.ZipInfo(name), content)


def database(path: str, *statements: tuple[str, list[tuple[Any, ...]]]) -> None:
    file = HERE / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    connection = sqlite3.connect(file)
    connection.execute("pragma page_size = 1024")
    for statement, rows in statements:
        if rows:
            connection.executemany(statement, rows)
        else:
            connection.execute(statement)
    connection.commit()
    connection.close()


def llamafactory() -> None:
    def progress(step: int) -> dict[str, Any]:
        return {"epoch": step / 10, "percentage": 5.0 * step, "elapsed_time": "0:00:01", "remaining_time": "0:00:01"}

    rows: list[Any] = []
    for step in range(2, 21, 2):
        head = {"current_steps": step, "total_steps": 20}
        rows.append({**head, "loss": loss(step), "accuracy": step / 20, "lr": rate(step), **progress(step)})
        if step % 10 == 0:
            rows.append({**head, "eval_loss": held_out(step), **progress(step)})
    rows.append({"current_steps": 20, "total_steps": 20, **progress(20)})
    lines("llamafactory/dpo/trainer_log.jsonl", rows)
    text(
        "llamafactory/dpo/train_dpo.yaml",
        "### model\nmodel_name_or_path: tiny/gpt2\n\n### method\nstage: dpo\ndo_train: true\nfinetuning_type: lora\n"
        "pref_beta: 0.2\npref_loss: sigmoid  # choices: [sigmoid, orpo, simpo]\n\n### train\nlearning_rate: 5e-4\n"
        "num_train_epochs: 2.0\nbf16: true\noutput_dir: saves/tiny\ntemplate: default\n",
    )
    nulls = {"eval_loss": None, "predict_loss": None, "reward": None, "accuracy": None}
    old = [
        {"current_steps": s, "total_steps": 9, "loss": loss(s), **nulls, "learning_rate": rate(s)} for s in (3, 6, 9)
    ]
    lines("llamafactory/old/trainer_log.jsonl", old)
    lines(
        "llamafactory/predict/trainer_log.jsonl",
        [{"current_steps": s, "total_steps": 60, "percentage": 9.0} for s in (5, 55)],
    )
    text(
        "llamafactory/predict/training_args.yaml",
        "do_predict: true\nstage: sft\nfinetuning_type: lora\nmodel_name_or_path: tiny/gpt2\ntemplate: default\n",
    )


def swift() -> None:
    rows: list[dict[str, Any]] = []
    for step in (1, *range(2, 11, 2)):
        own = {"loss": loss(step), "learning_rate": rate(step), "rewards/margins": step / 10, "epoch": step / 10}
        rows.append(
            {**own, "global_step/max_steps": f"{step}/10", "percentage": f"{10 * step}.00%", "train_speed(s/it)": 0.1}
        )
    tail = {"epoch": 1.0, "global_step/max_steps": "10/10", "train_speed(s/it)": 0.2}
    rows.append({"eval_loss": held_out(10), "eval_rewards/margins": 1.0, **tail})
    rows.append({"train_runtime": 3.5, "train_loss": 0.4, "total_flos": 9e9, **tail})
    rows.append({"best_metric": held_out(10), "global_step": 10, "log_history": [{"loss": loss(1), "step": 1}]})
    lines("swift/v0-20260101-000000/logging.jsonl", rows)
    args = {
        "rlhf_type": "dpo",
        "beta": 0.1,
        "learning_rate": 5e-4,
        "swift_version": "4.6.0",
        "hub_token": "abc",
        "fsdp": [],
    }
    text("swift/v0-20260101-000000/args.json", json.dumps(args, indent=1))


def mlflow() -> None:
    home = "mlflow/files/mlruns/301/0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d"
    meta = "end_time: 1795434795977\nlifecycle_stage: active\nrun_id: 0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d\n"
    meta += "run_name: tiny dpo\nstatus: 3\n"
    text(f"{home}/meta.yaml", meta)
    text("mlflow/files/mlruns/301/meta.yaml", "experiment_id: '301'\nlifecycle_stage: active\nname: default\n")
    steps = range(2, 21, 2)
    for key, value in (("loss", loss), ("learning_rate", rate), ("rewards/chosen", loss), ("rewards/accuracies", loss)):
        lines(f"{home}/metrics/{key}", [f"179543479{step:04d} {value(step)} {step}" for step in steps])
    lines(f"{home}/metrics/eval_loss", [f"1795434790010 {held_out(10)} 10", "1795434790020 NaN 20"])
    lines(f"{home}/metrics/train_loss", ["1795434790020 0.4 20"])
    lines(f"{home}/metrics/train_runtime", ["1795434790020 1.5 20"])
    for key, told in {
        "beta": "0.1",
        "loss_type": "['sigmoid']",
        "bf16": "False",
        "run_name": "None",
        "hub_token": "x",
    }.items():
        text(f"{home}/params/{key}", told)
    killed = "mlflow/killed/mlruns/0/ffeeddccffeeddccffeeddccffeeddcc"
    text(f"{killed}/meta.yaml", "run_id: ffeeddccffeeddccffeeddccffeeddcc\nstatus: 1\nend_time: null\n")
    lines(f"{killed}/metrics/accuracy", ["1664364007310 0.75 0"])
    text(f"{killed}/params/EPOCHS", "5")
    infinite = 1.7976931348623157e308
    metrics: list[tuple[Any, ...]] = []
    for run in ("a" * 32, "b" * 32):
        metrics += [("train/loss", loss(step) + (run[0] == "b"), step, run, step, 0) for step in range(1, 11)]
    metrics += [("val/loss", 0.0, 5, "a" * 32, 5, 1), ("val/loss", infinite, 10, "a" * 32, 10, 0)]
    database(
        "mlflow/sqlite/mlflow.db",
        (
            "create table runs (run_uuid varchar(32), name varchar, status varchar, lifecycle_stage varchar)",
            [],
        ),
        (
            "create table metrics"
            " (key varchar, value float, timestamp bigint, run_uuid varchar, step bigint, is_nan boolean)",
            [],
        ),
        ("create table params (key varchar, value varchar, run_uuid varchar)", []),
        (
            "insert into runs values (?, ?, ?, ?)",
            [
                ("a" * 32, "one", "FINISHED", "active"),
                ("b" * 32, "two", "KILLED", "active"),
                ("c" * 32, "gone", "FINISHED", "deleted"),
            ],
        ),
        ("insert into metrics values (?, ?, ?, ?, ?, ?)", metrics),
        ("insert into params values (?, ?, ?)", [("lr", "0.0005", "a" * 32), ("layers", "[1, 2]", "a" * 32)]),
    )


def trackio() -> None:
    rows = []
    for count, step in enumerate(range(2, 21, 2)):
        row = {
            "train/loss": loss(step),
            "train/learning_rate": rate(step),
            "train/global_step": step,
            "train/epoch": step / 20,
        }
        rows.append((count, json.dumps(row).encode()))
    rows.append((10, json.dumps({"eval/loss": "NaN", "train/global_step": 20}).encode()))
    rows.append(
        (11, json.dumps({"train/train_runtime": 1.5, "train/train_loss": 0.4, "train/global_step": 20}).encode())
    )
    rows.append((12, b"\xff no json"))
    config = {
        "_Username": None,
        "learning_rate": 5e-4,
        "beta": 0.1,
        "id2label": {"0": "A"},
        "transformers_version": "5.23.0",
    }
    database(
        "trackio/trackio/tiny dpo.db",
        (
            "create table metrics (id integer primary key autoincrement, run_id text, timestamp text, run_name text,"
            " step integer, metrics text)",
            [],
        ),
        ("create table configs (id integer primary key, run_id text, run_name text, config text, created_at text)", []),
        (
            "insert into metrics (run_id, timestamp, run_name, step, metrics) values ('r1', '2026', 'tiny', ?, ?)",
            rows,
        ),
        ("insert into configs values (1, 'r1', 'tiny', ?, '2026')", [(json.dumps(config).encode(),)]),
    )
    database(
        "trackio/old/old.db",
        (
            "create table metrics (id integer primary key, timestamp text, run_name text, step integer, metrics text)",
            [],
        ),
        (
            "insert into metrics (timestamp, run_name, step, metrics) values ('2025', ?, ?, ?)",
            [(run, step, json.dumps({"loss": loss(step)})) for run in ("first", "second") for step in (0, 1, 2)],
        ),
    )


def dvclive() -> None:
    def table(path: str, key: str, points: Iterable[tuple[int, float]]) -> None:
        lines(
            f"dvclive/{path}/plots/metrics/{key}.tsv",
            [f"step\t{key.split('/')[-1]}", *(f"{a}\t{b}" for a, b in points)],
        )

    table("raw/dvclive", "train/loss", ((step, loss(step)) for step in range(10)))
    table("raw/dvclive", "val/acc", [(9, 0.9)])
    text("dvclive/raw/dvclive/params.yaml", "lr: 0.0003\nbeta: 0.1\n")
    logs = [(2, True), (4, True), (4, False), (6, True), (8, True), (8, False), (8, None)]
    home = "hf/dvclive"
    table(home, "loss", ((at, loss(step)) for at, (step, train) in enumerate(logs) if train))
    table(home, "eval/loss", ((at, held_out(step)) for at, (step, train) in enumerate(logs) if train is False))
    table(home, "epoch", ((at, step / 8) for at, (step, _) in enumerate(logs)))
    table(home, "train/loss", [(6, 0.4)])
    table(home, "train/runtime", [(6, 1.5)])
    text("dvclive/hf/dvclive/params.yaml", "logging_steps: 2\nlogging_first_step: false\nlearning_rate: 0.0005\n")


def clearml() -> None:
    def event(step: int, panel: str, curve: str, value: float) -> dict[str, Any]:
        return {"type": "training_stats_scalar", "iter": step, "metric": panel, "variant": curve, "value": value}

    events = [
        [event(s, "train", "loss", loss(s)), event(s, "train", "rewards/margins", s / 10)] for s in range(2, 11, 2)
    ]
    events += [[event(10, "eval", "loss", held_out(10))], [event(10, "Summary", "epoch", 1.0)]]
    events += [[event(10, "Summary", "train_loss", 0.4), event(10, "Summary", "train_runtime", 1.5)]]
    events += [[event(0, ":monitor:machine", "cpu_usage", 5.0), {"type": "plot", "iter": 1}]]
    metrics = "".join(json.dumps(row) + "\n" for row in events)
    parameter = {"section": "Args", "name": "beta", "value": "0.1", "type": "float", "description": ""}
    task = {
        "id": "offline-11",
        "name": "tiny",
        "execution": {},
        "hyperparams": {"Args": {"beta": parameter, "optim/betas": {**parameter, "value": "[0.9, 0.95]"}}},
    }
    text("clearml/folder/cache/offline/offline-11/metrics.jsonl", metrics)
    text("clearml/folder/cache/offline/offline-11/task.json", json.dumps(task))
    archive("clearml/folder/cache/offline/offline-11.zip", {"metrics.jsonl": metrics, "task.json": json.dumps(task)})
    archive("clearml/archive/offline-12.zip", {"metrics.jsonl": metrics, "task.json": json.dumps(task)})


def comet() -> None:
    messages: list[dict[str, Any]] = [
        {"type": "installed_packages", "payload": {"installed_packages": ["torch==2.13.0", "trl==1.16.0", "zipp==4"]}},
        {"type": "metric_msg", "payload": {"metric": {"metricName": "sys.cpu", "metricValue": 1.0, "step": None}}},
        {"type": "parameter_msg", "payload": {"param": {"paramName": "lr", "paramValue": 5e-4}}},
        {"type": "parameter_msg", "payload": {"param": {"paramName": "betas", "paramValue": "[0.9, 0.95]"}}},
    ]
    for step in range(1, 11):
        metric = {"metricName": "train/loss", "metricValue": loss(step), "step": step, "epoch": None}
        messages.append({"type": "metric_msg", "payload": {"metric": metric}})
    members = {
        "experiment.json": '{"project_name": "tiny"}',
        "messages.json": "".join(json.dumps(m) + "\n" for m in messages),
    }
    archive("comet/comet/ab12.zip", members)


def lightning() -> None:
    header = "epoch,lr-AdamW,step,test_loss,train_loss_epoch,train_loss_step,val_loss"
    rows = [header, ",0.01,0,,,,"]
    for epoch in range(2):
        rows += [f"{epoch},,{step},,,{loss(step)}," for step in (epoch * 8 + 3, epoch * 8 + 7)]
        rows += [f"{epoch},,{epoch * 8 + 7},,,,{held_out(epoch * 8 + 7)}", f"{epoch},,{epoch * 8 + 7},,{loss(epoch)},,"]
    rows.append(f"2,,16,{held_out(16)},,,")
    for version in (0, 1):
        lines(f"lightning/csv/version_{version}/metrics.csv", rows)
    tagged = (
        "hidden: 32\nlr: 1.0e-02\nactivation: !!python/name:torch.nn.functional.relu ''\n"
        "loss: !!python/object:some.module.Loss\n  reduction: mean\nsizes: !!python/tuple\n- 1\n- 2\n"
        "danger: !!python/object/apply:os.system ['echo never run']\n"
    )
    text("lightning/csv/version_0/hparams.yaml", tagged)
    text("lightning/csv/version_1/hparams.yaml", "hidden: 64\n")
    text("lightning/csv/version_2/hparams.yaml", "hidden: 128\n")
    text("accelerate/tiny/1795434853.43146/hparams.yml", "batch_size: 8\nbeta: 0.1\n")


def sentence() -> None:
    scores = [f"{step / 8},{step},{loss(step)}" for step in (4, 8, 12, 16)]
    lines(
        "sentence/new/eval/similarity_evaluation_dev_results.csv", ["epoch,steps,cosine_spearman", *scores, "-1,-1,0.9"]
    )
    old = ["epoch,steps,cosine_spearman", "0,5,0.1", f"0,-1,{loss(0)}", "1,5,0.2", f"1,-1,{loss(1)}"]
    lines("sentence/old/eval/similarity_evaluation_sts_results.csv", old)


def epochs() -> None:
    keras = [f"{epoch},{1 - loss(epoch)},{loss(epoch)},{held_out(epoch)}" for epoch in range(5)]
    lines("keras/training.log", ["epoch,accuracy,loss,val_loss", *keras])
    lists = {"loss": [loss(e) for e in range(5)], "val_loss": [held_out(e) for e in range(5)]}
    text("keras/history.json", json.dumps(lists))
    head = "epoch,train_loss,valid_loss,accuracy,time"
    fit = [head, *(f"{e},{loss(e)},{held_out(e)},0.5,00:01" for e in range(3))]
    lines("fastai/history.csv", [*fit, head, *(f"{e},{loss(e + 3)},{held_out(e + 3)},0.6,00:01" for e in range(4))])
    yolo = "                  epoch,      train/box_loss,  metrics/mAP50(B),  val/box_loss, lr/pg0"
    lines(
        "ultralytics/train/results.csv",
        [yolo, *(f"   {e},  {loss(e)},  0.{e},  {held_out(e)}, {rate(e)}" for e in (1, 2, 3))],
    )
    text("ultralytics/train/args.yaml", "task: detect\nmodel: yolo11n.pt\nepochs: 3\nlr0: 0.01\n")


def stable_baselines() -> None:
    rows = ["time/total_timesteps,rollout/ep_rew_mean,train/loss,train/clip_fraction,time/fps"]
    objects = []
    for count in range(1, 6):
        own = ["", ""] if count == 1 else [str(loss(count)), "0.1"]
        rows.append(",".join([str(256 * count), str(10.0 * count), *own, "400"]))
        row: dict[str, Any] = {"time/total_timesteps": 256 * count, "rollout/ep_rew_mean": 10.0 * count}
        objects.append(row if count == 1 else {**row, "train/loss": loss(count)})
    lines("stable_baselines/progress.csv", rows)
    lines("stable_baselines/progress.json", objects)
    lines(
        "stable_baselines/monitor.csv",
        ['#{"t_start": 1795435040.2, "env_id": "CartPole-v1"}', "r,l,t", "15.0,15,4.4", "40.0,40,4.5"],
    )


def jsonlogs() -> None:
    spacy = [
        {"epoch": s // 20, "step": s, "losses": {"textcat": loss(s)}, "scores": {"cats_score": 90.0}, "score": 0.9}
        for s in (0, 10)
    ]
    lines("spacy/log.jsonl", spacy)
    text(
        "spacy/model-last/config.cfg",
        '[training]\ndropout = 0.1\nseed = 0\nlogger = "spacy.JSON"\npath = ${paths.train}\n',
    )
    text("spacy/model-last/meta.json", '{"name": "pipeline", "spacy_version": ">=3.8.18,<3.9.0"}')
    detectron = [
        {"data_time": 0.1, "eta_seconds": 9.0, "iteration": i, "lr": rate(1), "total_loss": loss(i)} for i in (19, 39)
    ]
    lines("detectron2/metrics.json", [*detectron, {"bbox/AP": 31.5, "iteration": 39}])


def textlogs() -> None:
    gpt = ["0 val 10.9310", "0 hella 0.2413", *(f"{s} train {loss(s):.6f}" for s in range(10)), "10 val 7.5"]
    lines("textlogs/build-nanogpt/log.txt", gpt)
    own = ["tokens per iteration will be: 491,520", "step 0: train loss 10.9, val loss 10.95"]
    lines(
        "textlogs/nanogpt/train.log",
        [*own, *(f"iter {s}: loss {loss(s):.4f}, time 120.5ms, mfu 30.1%" for s in range(5))],
    )
    ray = "\x1b[36m(TaskRunner pid=1)\x1b[0m "
    verl = [
        f"{ray}step:{s} - actor/pg_loss:np.float64({loss(s)}) - critic/score/mean:0.4 - timing_s/gen:1.0"
        for s in (1, 2, 3)
    ]
    lines("textlogs/verl/console.log", ["x" * 60] * 2000 + verl)
    old = [
        f"| epoch 001 | loss {loss(s)} | nll_loss 1.5 | ppl 3.2 | num_updates {s} | lr 0.0003 | gnorm 0.9"
        for s in (10, 20)
    ]
    lines(
        "textlogs/fairseq-old/train.log",
        [*old, f"| epoch 001 | valid on 'valid' subset | loss {held_out(20)} | num_updates 20"],
    )


def others() -> None:
    for epoch in range(3):
        row = {
            "best_epoch": epoch,
            "training_epochs": epoch,
            "epoch": epoch,
            "training_loss": loss(epoch),
            "validation_loss": held_out(epoch),
        }
        text(
            f"allennlp/metrics_epoch_{epoch}.json",
            json.dumps({**row, "training_duration": "0:01:00", "peak_cpu_memory_MB": 1.5}),
        )
    text(
        "allennlp/metrics.json",
        json.dumps({"best_epoch": 2, "training_epochs": 2, "best_validation_loss": held_out(2), "test_f1": 0.7}),
    )
    text("allennlp/config.json", '{"trainer": {"optimizer": {"lr": 0.001}, "num_epochs": 3}}')
    text("aim/.aim/VERSION", "3.29\n")
    text("aim/.aim/meta/chunks/x/CURRENT", "MANIFEST-000004\n")


def general() -> None:
    lines(
        "general/csv/my log [1], é.csv",
        ["iteration;train loss;val loss", *(f"{s};{str(loss(s)).replace('.', ',')};" for s in (1, 2, 3))],
    )
    rows = [
        {"event": "config", "lr": 0.1, "epochs": 3},
        *({"step": s, "metrics": {"train/loss": loss(s)}} for s in (1, 2, 3)),
    ]
    lines("general/jsonl/out.jsonl", rows)
    text("general/jsonl/config.json", '{"lr": 0.1, "optimizer": {"name": "adamw"}}')
    text(
        "general/json/metrics_all.json",
        json.dumps({"history": [{"epoch": e, "loss": loss(e), "val_loss": held_out(e)} for e in (1, 2)]}),
    )
    printed = [
        "Loading data ...",
        *(f"Epoch {e}/3 - loss: {loss(e)} - val_loss: {held_out(e)}" for e in (1, 2, 3)),
        "done",
    ]
    lines("general/text/train.log", printed)
    console = [f"{{'loss': {loss(s)}, 'learning_rate': {rate(s)}, 'epoch': {s / 10}}}" for s in (1, 2, 3)]
    text("general/console/stdout.log", "\r 10%|#  | 1/10\r".join(console) + "\n")


def main() -> None:
    for make in (llamafactory, swift, mlflow, trackio, dvclive, clearml, comet, lightning, sentence, epochs):
        make()
    for make in (stable_baselines, jsonlogs, textlogs, others, general):
        make()


if __name__ == "__main__":
    main()
