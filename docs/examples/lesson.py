"""Teach, and keep all that was found out; write the report.

Run: python docs/examples/lesson.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys

photos = sys.argv[1]

# ---
from pathlib import Path

import eyespot

lesson = eyespot.teach(photos)  # an eyespot.TeachResult
print(lesson.reason)
for trial in lesson.candidates:
    print(trial.method, trial.top1, trial.top1_interval, trial.seconds)
for finding in lesson.findings:
    print(finding.severity, finding.message, finding.advice)
for label_issue in lesson.label_issues:
    print(lesson.features.names[label_issue.index], "may be mislabelled")
lesson.classifier.save("lesson.eyespot")
eyespot.write_report(lesson, Path("lesson.report.html"))
