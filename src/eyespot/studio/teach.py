"""Routes of Teach: projects, their classes and photos, and their classifiers."""

from fastapi import APIRouter

from eyespot.studio import class_routes, classifier_routes, project_routes

router = APIRouter()
router.include_router(project_routes.router)
router.include_router(class_routes.router)
router.include_router(classifier_routes.router)
