#!/bin/bash
#SBATCH --job-name=evofool
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
#SBATCH --exclusive
# sbatch docs/cluster/slurm.sh: one Ray machine a task; the first of the job's machines is the head.
set -euo pipefail
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
others=$((SLURM_JOB_NUM_NODES - 1))
srun --nodes=1 --ntasks=1 --nodelist="$head" \
  ray start --head --port=6379 --num-cpus="$SLURM_CPUS_PER_TASK" --block &
until ray status --address="$head:6379" >/dev/null 2>&1; do sleep 2; done
srun --nodes="$others" --ntasks="$others" --exclude="$head" \
  ray start --address="$head:6379" --num-cpus="$SLURM_CPUS_PER_TASK" --block &

out="$SLURM_SUBMIT_DIR/run"
if [ -d "$out" ]; then  # The job was requeued.
  evofool resume "$out" --address="$head:6379"
else
  evofool evolve --target=torchvision:squeezenet1_1 --batch=6400 --micro-batch=16 \
    --engine=ray --address="$head:6379" --out="$out" --quiet
fi
